// Command editor is the Lambda function that serves the editors' API.
package main

import "tidings/internal/app"

func main() { app.Main(app.Editor, app.DynamoDB, app.SQS, app.EventBridgeScheduler, app.SSM) }
