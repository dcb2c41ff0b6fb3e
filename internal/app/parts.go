package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"tidings/internal/delivery"
	"tidings/internal/mail"
	"tidings/internal/ses"
	"tidings/internal/store"
	"tidings/internal/web"
	"tidings/internal/web/edge"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// The parts that several functions are made of.

// origin is the public origin of every link, without a slash at its end.
func (s Site) origin() string { return strings.TrimRight(s.BaseURL, "/") }

// mail is the site as mails know it.
func (s Site) mail() mail.Site {
	return mail.Site{Name: s.SiteName, BaseURL: s.origin(), PostalAddress: s.PostalAddress}
}

// builder builds the site's mails.
func (s Site) builder() (*mail.Builder, error) { return mail.New(templates.FS, s.mail()) }

// responder answers requests with the site's pages.
func (rt *Runtime) responder(s Site) (*web.Responder, error) {
	p, err := pages.New(templates.FS, pages.Site{Name: s.SiteName, BaseURL: s.origin(), PostalAddress: s.PostalAddress})
	if err != nil {
		return nil, err
	}
	return &web.Responder{Pages: p, Log: rt.Log}, nil
}

// serve makes a function of routes.
func serve(res *web.Responder, s Site, mux *http.ServeMux) Function {
	front := web.Front{Responder: res, Mux: mux, CSP: pages.CSP, HTTPS: strings.HasPrefix(s.BaseURL, "https://")}
	return edge.HTTP(front, web.WithIP)
}

// keys reads the secret keys.
func (rt *Runtime) keys(ctx context.Context, s Secrets) (Keys, error) {
	raw, err := rt.Parameter(ctx, s.KeysParameter)
	if err != nil {
		return Keys{}, err
	}
	k, err := ParseKeys(raw)
	if err != nil {
		return Keys{}, fmt.Errorf("parameter %s: %w", s.KeysParameter, err)
	}
	return k, nil
}

func (rt *Runtime) articles(s Storage) store.Articles {
	return store.Articles{Table: rt.Table(s.TableName), Now: rt.Now}
}

func (rt *Runtime) digests(s Storage) store.Digests {
	return store.Digests{Table: rt.Table(s.TableName), Now: rt.Now, NewID: rt.NewID}
}

func (rt *Runtime) subscribers(s Storage) store.Subscribers {
	return store.Subscribers{Table: rt.Table(s.TableName), Now: rt.Now, NewID: rt.NewID}
}

func (rt *Runtime) ledger(s Storage) store.Ledger {
	return store.Ledger{Table: rt.Table(s.TableName), Now: rt.Now, NewID: rt.NewID}
}

// post sends single mails: delivery.Post over package ses.
type post struct {
	client              *ses.Client
	transactional, bulk ses.From
}

// SendOne implements delivery.Post.
func (p post) SendOne(ctx context.Context, m delivery.Single) error {
	from := p.transactional
	if m.AsDigest {
		from = p.bulk
	}
	_, err := p.client.Send(ctx, ses.Mail{From: from, To: m.To, Subject: m.Subject, HTML: m.HTML, Text: m.Text, Headers: m.Headers, Tags: m.Tags})
	return err
}
