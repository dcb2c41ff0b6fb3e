// Command bench measures what DESIGN §7 promises of delivery: how much of SES's rate is used, what a million recipients cost, and how
// fast, small and even the worker is. It writes a line of JSON for each measurement and a table at the end. Nothing here is a test:
// machines differ, so figures are ratios and counts wherever they can be.
//
//	make bench                      about four minutes
//	make bench BENCH='-big'         with a million people where growth is measured
//	make bench BENCH='-only cost'   one of rate (with cost), throughput, growth, binary
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	only := flag.String("only", "rate,throughput,growth,binary", "what to measure")
	big := flag.Bool("big", false, "measure growth and throughput up to a million people")
	worker := flag.String("worker", "", "be the worker process of throughput, with this folder")
	sesURL := flag.String("ses", "", "where the worker finds SES")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *worker != "" {
		err = work(ctx, *worker, *sesURL)
	} else {
		err = measure(ctx, *only, *big)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure runs what was asked for.
func measure(ctx context.Context, only string, big bool) error {
	rep := &report{out: os.Stdout}
	defer rep.table()
	for _, part := range []struct {
		name string
		run  func(context.Context, *report, bool) error
	}{{"rate", rates}, {"throughput", throughput}, {"growth", growth}, {"binary", binary}} {
		if !strings.Contains(only, part.name) && !(part.name == "rate" && strings.Contains(only, "cost")) {
			continue
		}
		if err := part.run(ctx, rep, big); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
