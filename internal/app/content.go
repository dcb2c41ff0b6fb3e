package app

import (
	"context"
	"net/http"

	"tidings/internal/web"
	"tidings/internal/web/pages"
	"tidings/templates"
)

// Content builds the function that serves what is published.
func Content(_ context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[ContentConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	res, err := rt.responder(cfg.Site)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	web.Articles{Responder: res, Store: rt.articles(cfg.Storage), BaseURL: cfg.origin()}.Register(mux)
	web.Archive{Responder: res, Store: rt.digests(cfg.Storage), BaseURL: cfg.origin()}.Register(mux)
	web.Feeds{
		Responder: res, Articles: rt.articles(cfg.Storage), Archive: rt.digests(cfg.Storage), Name: cfg.SiteName, BaseURL: cfg.origin(),
	}.Register(mux)
	web.Site{Responder: res, Name: cfg.SiteName, BaseURL: cfg.origin(), Version: rt.Version, Static: pages.Static(templates.FS)}.Register(mux)
	return serve(res, cfg.Site, mux), nil
}
