// Command dispatch is the Lambda function that serves a digest's start and, each minute while it goes out, its sweep.
package main

import "tidings/internal/app"

func main() { app.Main(app.Dispatch, app.DynamoDB, app.SQS, app.EventBridgeScheduler, app.SES) }
