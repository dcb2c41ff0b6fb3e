package app

import (
	"context"
	"net/http"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/fetch"
	"tidings/internal/lint"
	"tidings/internal/oidc"
	"tidings/internal/web"
	"tidings/templates"
)

// Editor builds the function of the editors' API.
func Editor(ctx context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[EditorConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	keys, err := rt.keys(ctx, cfg.Secrets)
	if err != nil {
		return nil, err
	}
	res, err := rt.responder(cfg.Site)
	if err != nil {
		return nil, err
	}
	service, err := rt.service(cfg)
	if err != nil {
		return nil, err
	}
	api := http.NewServeMux()
	web.EditorArticles{Responder: res, Store: rt.articles(cfg.Storage), Fetch: fetch.New(), Extract: fetch.Extractor{}, BaseURL: cfg.origin()}.Register(api)
	web.EditorDigests{Responder: res, Service: service, Progress: rt.counter(cfg.Storage)}.Register(api)
	web.EditorReport{Responder: res, Digests: service, Reports: rt.reporter(cfg.Storage)}.Register(api)
	people := rt.subscribers(cfg.Storage)
	web.EditorSubscribers{Responder: res, Helpdesk: &audience.Helpdesk{
		Records: people, Memberships: people, Identity: keys.Identity, Now: rt.Now,
	}}.Register(api)
	mux := http.NewServeMux()
	web.Auth{Responder: res, Verifier: oidc.New(cfg.OIDCIssuer, cfg.OIDCClientID, cfg.OIDCGroupsClaim, rt.Now), API: api}.Register(mux)
	return serve(res, cfg.Site, mux), nil
}

// service is what editors do with digests.
func (rt *Runtime) service(cfg EditorConfig) (*digest.Service, error) {
	builder, err := cfg.builder()
	if err != nil {
		return nil, err
	}
	linter, err := lint.New(templates.FS, cfg.mail())
	if err != nil {
		return nil, err
	}
	digests, desk := rt.digests(cfg.Storage), delivery.Desk{Turns: rt.deliveries(cfg.Storage), Progress: rt.counter(cfg.Storage)}
	return &digest.Service{
		Digests: digests, Contents: digests, Tests: digests, Articles: rt.articles(cfg.Storage),
		Composer: digest.MailComposer{Builder: builder, BaseURL: cfg.origin()}, Linter: linter,
		Scheduler: rt.Scheduler(cfg.Schedules), Course: desk, Queue: rt.Queue(cfg.MailQueueURL),
		Log: rt.Log, Now: rt.Now, NewID: rt.NewID, Address: sendable, Zone: cfg.TimeZone,
	}, nil
}

// sendable checks an address and returns it as mail is sent to.
func sendable(s string) (string, error) {
	a, err := audience.ParseAddress(s)
	return a.Sendable, err
}
