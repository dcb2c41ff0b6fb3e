package fetch

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"tidings/internal/fault"
)

// newSite serves h as http://site.example, and returns a fetcher that can reach that and, through the real dialer,
// whatever else is allowed.
func newSite(t *testing.T, h http.Handler, timeout time.Duration) *Fetcher {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newFetcher(func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "site.example:80" {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		}
		return guardedDialer(nil).DialContext(ctx, network, address)
	}, timeout)
}

const words = "Quiet mornings help many people to settle before a visit, and a short walk often does more than another cup of coffee would. "

func pageHTML(title string) string {
	return `<!doctype html><html lang="en"><head><title>` + title + ` | Site</title><meta property="og:title" content="` + title + `">
<meta property="article:published_time" content="2025-03-04T10:00:00Z"><meta name="author" content="Ann Writer"><meta name="description" content="About mornings.">
<link rel="canonical" href="https://site.example/mornings"></head><body><nav><a href="/">Home</a></nav><article><h1>` + title + `</h1>
<p>` + strings.Repeat(words, 3) + `</p><h2>Walking</h2><p>` + strings.Repeat(words, 3) + `<a href="/more">More</a></p><ul><li>one</li><li>two</li></ul></article>
<footer>© Site</footer></body></html>`
}

func serve(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/a", serve("text/html; charset=utf-8", pageHTML("Mornings")))
	mux.Handle("/moved", http.RedirectHandler("/a", http.StatusFound))
	f := newSite(t, mux, Timeout)
	p, err := f.Page(context.Background(), " http://site.example/moved#part ")
	if err != nil {
		t.Fatal(err)
	}
	if p.Title != "Mornings" || p.URL != "http://site.example/a" || p.Author != "Ann Writer" || p.Summary != "About mornings." || !p.Published.Equal(time.Date(2025, 3, 4, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("page %+v", p)
	}
	for _, want := range []string{"<h2", "Walking", "<li>", `href="http://site.example/more"`} {
		if !strings.Contains(p.HTML, want) {
			t.Errorf("content lacks %q:\n%s", want, p.HTML)
		}
	}
}

func TestPageInAnotherEncoding(t *testing.T) {
	t.Parallel()
	f := newSite(t, serve("text/html; charset=iso-8859-1", strings.ReplaceAll(pageHTML("Caf\xe9"), "coffee", "caf\xe9")), Timeout)
	p, err := f.Page(context.Background(), "http://site.example/")
	if err != nil || p.Title != "Café" || !strings.Contains(p.HTML, "café") {
		t.Errorf("title %q, %v", p.Title, err)
	}
}

func TestRefusedAddresses(t *testing.T) {
	t.Parallel()
	f := New()
	for _, u := range []string{
		"", "site", "//site.example", "ftp://site.example/", "file:///etc/passwd", "javascript:alert(1)", "http://", "http://:80/",
		"http://user:pass@site.example/", "http://user@site.example/", "http://site.example:22/", "http://site.example:8080/", "http://[::1", "http://a b/",
		"http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "https://169.254.169.254/latest/meta-data/",
		"http://10.0.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://[fd00:ec2::254]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
		"http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://site.example/" + strings.Repeat("a", maxURL),
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, err := f.Page(ctx, u)
		cancel()
		// Numbers that only some resolvers take for addresses may also not resolve at all.
		if c := fault.CodeOf(err); c != fault.Invalid && c != fault.Unprocessable {
			t.Errorf("Page(%.60q): %v", u, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/page", serve("text/html", pageHTML("Mornings")))
	for n := 1; n <= 4; n++ {
		to := "/page"
		if n > 1 {
			to = fmt.Sprintf("/r%d", n-1)
		}
		mux.Handle(fmt.Sprintf("/r%d", n), http.RedirectHandler(to, http.StatusMovedPermanently))
	}
	for path, to := range map[string]string{
		"/private": "http://127.0.0.1/", "/metadata": "http://169.254.169.254/latest/", "/mapped": "http://[::ffff:10.0.0.1]/",
		"/port": "http://site.example:6379/", "/scheme": "gopher://site.example/", "/user": "http://u:p@site.example/page",
	} {
		mux.Handle(path, http.RedirectHandler(to, http.StatusFound))
	}
	f := newSite(t, mux, Timeout)
	for path, want := range map[string]fault.Code{
		"/r3": "", "/r4": fault.Unprocessable, "/private": fault.Invalid, "/metadata": fault.Invalid, "/mapped": fault.Invalid,
		"/port": fault.Invalid, "/scheme": fault.Invalid, "/user": fault.Invalid,
	} {
		if _, err := f.Page(context.Background(), "http://site.example"+path); fault.CodeOf(err) != want || want == "" && err != nil {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// TestRebinding has a name server that answers with a public address first and a private one after that. The check
// happens on the address that is connected to, so that the second answer is refused as well.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := nameServer(t, func() [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{192, 0, 2, 1} // stands for an address that the name had when somebody looked
		}
		return [4]byte{127, 0, 0, 1}
	})
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server)
	}}
	if ips, err := resolver.LookupHost(context.Background(), "rebind.example."); err != nil || len(ips) == 0 {
		t.Fatalf("the test's name server: %v, %v", ips, err)
	}
	asked.Store(1)
	f := newFetcher(guardedDialer(resolver).DialContext, Timeout)
	_, err := f.Page(context.Background(), "http://rebind.example./")
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "private") {
		t.Errorf("a name that turned to loopback: %v", err)
	}
	if asked.Load() < 2 {
		t.Error("the name was not resolved")
	}
}

// nameServer answers every question for an A record with the address, and others with none.
func nameServer(t *testing.T, address func() [4]byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: address()},
				}}
			}
			if packed, err := answer.Pack(); err == nil {
				conn.WriteTo(packed, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/large", serve("text/html", "<p>"+strings.Repeat("x", MaxBytes)))
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(make([]byte, 8*MaxBytes))
		z.Close()
	})
	mux.HandleFunc("/pdf", serve("application/pdf", "%PDF-1.7"))
	mux.HandleFunc("/empty", serve("text/html", ""))
	mux.HandleFunc("/thin", serve("text/html", "<html><body></body></html>"))
	mux.HandleFunc("/deep", serve("text/html", strings.Repeat("<div>", 100_000)))
	mux.HandleFunc("/many", serve("text/html", strings.Repeat("<i>a</i>", maxElements+1)))
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	f := newSite(t, mux, Timeout)
	for path, want := range map[string]fault.Code{
		"/large": fault.TooLarge, "/bomb": fault.TooLarge, "/pdf": fault.Unsupported, "/empty": fault.Unprocessable, "/thin": fault.Unprocessable,
		"/deep": fault.Unprocessable, "/many": fault.Unprocessable, "/error": fault.Unprocessable, "/cut": fault.Unprocessable, "/none": fault.Unprocessable,
	} {
		if _, err := f.Page(context.Background(), "http://site.example"+path); fault.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestSlowSites(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/trickle", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for r.Context().Err() == nil {
			fmt.Fprint(w, "<p>a little")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	f := newSite(t, mux, 150*time.Millisecond)
	for _, path := range []string{"/silent", "/trickle"} {
		if _, err := f.Page(context.Background(), "http://site.example"+path); !fault.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), "in time") {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := f.Page(ctx, "http://site.example/silent"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that left: %v", err)
	}
}

func TestExtractSavedFile(t *testing.T) {
	t.Parallel()
	p, err := Extractor{}.Extract([]byte(pageHTML("Mornings")), "")
	if err != nil || p.URL != "https://site.example/mornings" || p.Title != "Mornings" {
		t.Errorf("saved file: %q %q, %v", p.URL, p.Title, err)
	}
	p, err = Extractor{}.Extract([]byte(strings.Replace(pageHTML("Mornings"), "https://site.example/mornings", "javascript:alert(1)", 1)), "")
	if err != nil || p.URL != "" {
		t.Errorf("a canonical address that is none: %q, %v", p.URL, err)
	}
}
