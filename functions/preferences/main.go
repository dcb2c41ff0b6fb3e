// Command preferences is the Lambda function that serves the links by which subscribers leave, and change what they get.
package main

import "tidings/internal/app"

func main() { app.Main(app.Preferences, app.DynamoDB, app.SQS, app.SSM) }
