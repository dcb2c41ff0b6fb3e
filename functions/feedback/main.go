// Command feedback is the Lambda function that serves SES's events.
package main

import "tidings/internal/app"

func main() { app.Main(app.Feedback, app.DynamoDB) }
