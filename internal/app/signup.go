package app

import (
	"context"
	"net/http"

	"tidings/internal/audience"
	"tidings/internal/store"
	"tidings/internal/web"
	"tidings/templates"
)

// Signup builds the function behind the public form and the links of confirmation mails.
func Signup(ctx context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[SignupConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	keys, err := rt.keys(ctx, cfg.Secrets)
	if err != nil {
		return nil, err
	}
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		return nil, err
	}
	res, err := rt.responder(cfg.Site)
	if err != nil {
		return nil, err
	}
	people := rt.subscribers(cfg.Storage)
	mux := http.NewServeMux()
	web.Signup{Responder: res, Origins: cfg.AllowedOrigins, SignUps: &audience.SignUps{
		Requests: people, Queue: rt.Queue(cfg.MailQueueURL), Identity: keys.Identity, Consent: consent,
		PerHour: cfg.SignupsPerIPHour, Now: rt.Now,
	}}.Register(mux)
	web.Confirm{Responder: res, Links: keys.links(people, rt, cfg.MailQueue)}.Register(mux)
	return serve(res, cfg.Site, mux), nil
}

// Preferences builds the function behind the links by which people leave, change what they get, and see and erase what is held.
func Preferences(ctx context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[PreferencesConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	keys, err := rt.keys(ctx, cfg.Secrets)
	if err != nil {
		return nil, err
	}
	consents, err := audience.LoadConsents(templates.FS)
	if err != nil {
		return nil, err
	}
	consent, err := audience.LoadConsent(templates.FS)
	if err != nil {
		return nil, err
	}
	res, err := rt.responder(cfg.Site)
	if err != nil {
		return nil, err
	}
	people := rt.subscribers(cfg.Storage)
	preferences := &audience.Preferences{
		Tokens: keys.Tokens, Profiles: people, Records: people, Moves: people, Consents: consents, Queue: rt.Queue(cfg.MailQueueURL),
		Identity: keys.Identity, Now: rt.Now,
	}
	links := keys.links(people, rt, cfg.MailQueue)
	links.Doorman = &audience.Doorman{Departures: store.Departures{Table: rt.Table(cfg.TableName)}, Log: rt.Log}
	mux := http.NewServeMux()
	web.Unsubscribe{Responder: res, Links: links, Consent: consent, Returns: &audience.Returns{
		Tokens: keys.Tokens, Profiles: people, Requests: people, Queue: rt.Queue(cfg.MailQueueURL), Identity: keys.Identity,
		Consent: consent, Now: rt.Now,
	}}.Register(mux)
	web.Preferences{Responder: res, Preferences: preferences, Topics: rt.articles(cfg.Storage), Now: rt.Now}.Register(mux)
	web.Rights{Responder: res, Rights: preferences}.Register(mux)
	return serve(res, cfg.Site, mux), nil
}

// links is what the links in mails do.
func (k Keys) links(m audience.Memberships, rt *Runtime, q MailQueue) *audience.Links {
	return &audience.Links{Tokens: k.Tokens, Memberships: m, Queue: rt.Queue(q.MailQueueURL), Identity: k.Identity, Now: rt.Now}
}
