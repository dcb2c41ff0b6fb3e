// Command preferences is the Lambda function that serves the links by which subscribers leave.
package main

import "tidings/internal/app"

func main() { app.Main(app.Preferences, app.DynamoDB, app.SSM) }
