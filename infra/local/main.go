// Command local is the whole of Tidings in one process on one machine: the eight functions behind a gateway, a table in
// a file, queues, schedules, SES with an inbox, and an issuer for the editors. It exists so that Tidings can be tried,
// shown and tested end to end with Go and nothing else. It reads template.yaml and invokes the very handlers that Lambda
// invokes, with the same events, by a clock that can be moved on.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Another Ctrl-C a second later ends the process at once. Sooner it is the same one: make and timeout pass a signal on that
	// the process group got already.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the stack until ctx is done. It returns the process's exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := Options{Log: slog.New(slog.NewJSONHandler(stderr, nil))}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.HTTP, "http", "127.0.0.1:8080", "`address` of the gateway: the site, the public routes and the editors' API")
	flags.StringVar(&o.Inbox, "inbox", "127.0.0.1:8025", "`address` of the inbox, the control API and the demo page")
	flags.StringVar(&o.SES, "ses", "127.0.0.1:8005", "`address` of SES's API")
	flags.StringVar(&o.OIDC, "oidc", "127.0.0.1:8090", "`address` of the editors' issuer")
	flags.StringVar(&o.Data, "data", "", "`folder` to keep everything in, the inbox too; a temporary one when empty")
	flags.StringVar(&o.DynamoDB, "dynamodb", "", "`URL` of a DynamoDB for the table, in place of a file")
	flags.StringVar(&o.AWS, "aws", "", "`address` of SQS, SSM and Scheduler for functions that run elsewhere (make sam-local); closed when empty")
	flags.StringVar(&o.Origin, "site", "", "`origin` of the site where another gateway serves it; -http's when empty")
	flags.StringVar(&o.IssuerAt, "issuer", "", "`address` at which functions that run elsewhere reach the issuer; -oidc's when empty")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "tidings: what is %q? There are flags only; -h lists them\n", flags.Arg(0))
		return 2
	}
	s, err := Start(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, "tidings:", err)
		return 1
	}
	s.banner(stdout)
	<-ctx.Done()
	fmt.Fprintln(stdout, "\nStopping…")
	if err := s.Close(); err != nil {
		fmt.Fprintln(stderr, "tidings:", err)
		return 1
	}
	return 0
}

// banner prints where everything is and what to try.
func (s *Stack) banner(w io.Writer) {
	data := s.data.path
	if s.data.temporary {
		data += " (temporary: removed at the end; keep it elsewhere with -data FOLDER)"
	}
	table := "a file there"
	if s.options.DynamoDB != "" {
		table = s.data.get().Table + " on " + s.options.DynamoDB
	}
	fmt.Fprintf(w, `
Tidings runs on this machine, and no mail leaves it. Ctrl-C ends it.

  site      %[1]s/            articles, sign-up, and the editors' API under /editor/api
  demo      %[2]s/demo        a clinic's website with the sign-up form
  inbox     %[2]s/            every mail that was sent, and the control API under /api
  SES       %[3]s             SESv2's API
  issuer    %[4]s        one publisher, one editor, no passwords
  data      %[5]s
  table     %[6]s

Try:
  open %[2]s/demo, subscribe with any address, and confirm in the inbox
  curl -s '%[2]s/api/editor-token?role=publisher'                  a token for the editors' API
  curl -s -X POST %[2]s/api/clock -d '{"advance":"72h"}'           three days later

`, s.Site, s.Inbox, s.SES, s.Issuer, data, table)
}
