// Package fetch gets pages from the public web for an editor who names their address, without letting that address
// reach anything private: the function runs inside a cloud network, and whoever can make it fetch a URL could
// otherwise read metadata services and neighbors through it (server-side request forgery).
//
// It also finds the main content of a page, which needs a library that pulls in net/http; package article, which may
// not, declares both as interfaces.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tidings/internal/article"
	"tidings/internal/fault"
)

// Bounds of one fetch, redirects included.
const (
	Timeout      = 15 * time.Second
	MaxRedirects = 3
	MaxBytes     = article.MaxFile
	maxURL       = 2000
)

// A Fetcher fetches pages. The zero value does not work; use New.
type Fetcher struct {
	client  *http.Client
	timeout time.Duration
}

// New returns a fetcher that connects to public addresses only, directly (never by a proxy, which would resolve names
// where nobody checks), at the ports 80 and 443.
func New() *Fetcher { return newFetcher(guardedDialer(nil).DialContext, Timeout) }

// guardedDialer connects to public web servers only. A nil resolver is the machine's.
func guardedDialer(resolver *net.Resolver) *net.Dialer {
	return &net.Dialer{Timeout: 5 * time.Second, Control: control, Resolver: resolver}
}

func newFetcher(dial func(ctx context.Context, network, address string) (net.Conn, error), timeout time.Duration) *Fetcher {
	return &Fetcher{
		timeout: timeout,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy: nil, DialContext: dial, ForceAttemptHTTP2: true, DisableKeepAlives: true,
				TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(r *http.Request, via []*http.Request) error {
				if len(via) > MaxRedirects {
					return fault.Field(fault.Unprocessable, "url", "The page redirects more than %d times.", MaxRedirects)
				}
				return checkURL(r.URL)
			},
		},
	}
}

// Page fetches an HTML page, at most MaxBytes long within Timeout, and returns its main content. What cannot be
// fetched is a fault: Invalid for an address that is not allowed, TooLarge, Unsupported for what is not HTML,
// Unprocessable for what the other side did.
func (f *Fetcher) Page(ctx context.Context, address string) (article.Page, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > maxURL {
		return article.Page{}, fault.Field(fault.Invalid, "url", "That is not a web address.")
	}
	if err := checkURL(u); err != nil {
		return article.Page{}, err
	}
	u.Fragment = ""
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	body, final, err := f.get(ctx, u)
	if err != nil {
		return article.Page{}, err
	}
	return Extractor{}.Extract(body, final.String())
}

// checkURL refuses what is wrong with an address by its looks. What it leads to is the dialer's business.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return fault.Field(fault.Invalid, "url", "The address must start with https:// or http:// and name a host.")
	case u.User != nil:
		return fault.Field(fault.Invalid, "url", "The address must not hold a user name or password.")
	case u.Port() != "" && u.Port() != "80" && u.Port() != "443":
		return fault.Field(fault.Invalid, "url", "Only the web's own ports, 80 and 443, are fetched from.")
	}
	return nil
}

// get returns the body and the address it came from in the end.
func (f *Fetcher) get(ctx context.Context, u *url.URL) ([]byte, *url.URL, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, fault.Field(fault.Invalid, "url", "That is not a web address.")
	}
	r.Header.Set("User-Agent", "Tidings (article import)")
	r.Header.Set("Accept", "text/html, application/xhtml+xml")
	res, err := f.client.Do(r)
	if err != nil {
		return nil, nil, fetchFault(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, nil, fault.Field(fault.Unprocessable, "url", "The site answered with status %d.", res.StatusCode)
	}
	if mt, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || mt != "text/html" && mt != "application/xhtml+xml" {
		return nil, nil, fault.Field(fault.Unsupported, "url", "The address does not lead to an HTML page.")
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBytes+1))
	if err != nil {
		return nil, nil, fetchFault(err)
	}
	if len(body) > MaxBytes {
		return nil, nil, fault.Field(fault.TooLarge, "url", "The page is larger than %d MB.", MaxBytes>>20)
	}
	body, err = toUTF8(body, res.Header.Get("Content-Type"))
	return body, res.Request.URL, err
}

// fetchFault says what went wrong without repeating the address or what the network said.
func fetchFault(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	var timeout net.Error
	switch {
	case errors.Is(err, errAddress):
		return fault.Field(fault.Invalid, "url", "The address leads to a private or reserved network, which is not fetched from.")
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("fetch page: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault.Field(fault.Unprocessable, "url", "The site did not answer in time.")
	}
	return fault.Field(fault.Unprocessable, "url", "The site cannot be reached.")
}
