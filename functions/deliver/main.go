// Command deliver is the Lambda function that serves the queues of mail: a digest's shards, confirmations, tests.
package main

import "tidings/internal/app"

func main() { app.Main(app.Deliver, app.DynamoDB, app.SQS, app.SES, app.SSM) }
