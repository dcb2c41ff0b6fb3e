// Command content is the Lambda function that serves what is published: articles, pages, health.
package main

import "tidings/internal/app"

func main() { app.Main(app.Content, app.DynamoDB) }
