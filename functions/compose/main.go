// Command compose is the Lambda function that serves the monthly draft of a digest.
package main

import "tidings/internal/app"

func main() { app.Main(app.Compose, app.DynamoDB, app.EventBridgeScheduler) }
