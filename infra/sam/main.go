// Command sam is what infra/sam-local.sh needs beside SAM CLI and a shell. SAM passes a function only the variables that the template
// declares, and its containers can't reach what listens on the machine's loopback; template.yaml and the local stack should
// know nothing of either. So:
//
//	sam overlay -template FILE -environ URL -endpoint SERVICE=URL …   derives a template and a file of variables from what sam build made
//	sam address NETWORK                                               prints this machine's address in Docker's network
//	sam forward NETWORK PORT=PORT …                                   forwards ports of that address to loopback, for that network only
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "infra/sam:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: sam overlay -template FILE -environ URL -endpoint SERVICE=URL … | sam address NETWORK | sam forward NETWORK PORT=PORT …")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	switch args[0] {
	case "overlay":
		return runOverlay(ctx, args[1:])
	case "address":
		_, address, err := find(args[1])
		if err == nil {
			_, err = fmt.Fprintln(out, address)
		}
		return err
	case "forward":
		network, address, err := find(args[1])
		if err != nil {
			return err
		}
		return forwardAll(ctx, network, address, args[2:])
	}
	return errUsage
}

// find returns a network and this machine's address in it.
func find(text string) (netip.Prefix, netip.Addr, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return network, netip.Addr{}, fmt.Errorf("network %q: give one such as 172.17.0.0/16", text)
	}
	address, err := addressIn(network)
	return network, address, err
}

// runOverlay reads the flags of overlay.
func runOverlay(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("overlay", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong
	template := flags.String("template", "", "`file` that sam build made; beside it local.yaml and local.json are written")
	environ := flags.String("environ", "", "`URL` of the local stack's variables")
	endpoints := map[string]string{}
	flags.Func("endpoint", "`SERVICE=URL` where a service is, as containers reach it; several", func(s string) error {
		name, url, ok := strings.Cut(s, "=")
		if !ok || name == "" || url == "" {
			return errors.New("give SERVICE=URL")
		}
		endpoints[name] = url
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	return overlay(ctx, *template, *environ, endpoints)
}
