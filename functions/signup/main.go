// Command signup is the Lambda function that serves the public sign-up: forms, confirmation links.
package main

import "tidings/internal/app"

func main() { app.Main(app.Signup, app.DynamoDB, app.SQS, app.SSM) }
