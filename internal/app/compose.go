package app

import (
	"context"
	"encoding/json"

	"tidings/internal/digest"
	"tidings/internal/web/edge"
)

// Compose builds the function that drafts the month's digest. Its event says nothing but that the hour has come.
func Compose(_ context.Context, rt *Runtime) (Function, error) {
	cfg, err := load[ComposeConfig](rt.Environ)
	if err != nil {
		return nil, err
	}
	articles, digests := rt.articles(cfg.Storage), rt.digests(cfg.Storage)
	c := digest.Composition{
		Service: &digest.Service{
			Digests: digests, Contents: digests, Articles: articles, Scheduler: rt.Scheduler(cfg.Schedules),
			Log: rt.Log, Now: rt.Now, NewID: rt.NewID, Zone: cfg.TimeZone,
		},
		Published: articles,
	}
	return edge.Func(func(ctx context.Context, _ []byte) ([]byte, error) {
		d, drafted, err := c.Run(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"digest": d.ID, "drafted": drafted})
	}), nil
}
