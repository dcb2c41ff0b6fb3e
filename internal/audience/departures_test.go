package audience

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A tally is Departures of one person, whose ports may fail.
type tally struct {
	listed          bool
	noLook, noCount error
	left            []string
}

func (c *tally) Listed(context.Context, string) (bool, error) { return c.listed, c.noLook }

func (c *tally) Left(_ context.Context, mailed time.Time, id string) error {
	if c.noCount == nil {
		c.left = append(c.left, mailed.Format(time.DateOnly)+" "+id)
	}
	return c.noCount
}

// TestCountsKeepNobodyFromLeaving has everything about the count fail, and the leaving itself.
func TestCountsKeepNobodyFromLeaving(t *testing.T) {
	t.Parallel()
	down := errors.New("no table")
	for name, c := range map[string]struct {
		tally  tally
		leave  error
		left   int
		logged int
	}{
		"leaves":              {tally{listed: true}, nil, 1, 0},
		"has left before":     {tally{}, nil, 0, 0},
		"can't look":          {tally{listed: true, noLook: down}, nil, 1, 1},
		"can't look or tell":  {tally{noLook: down}, nil, 0, 1},
		"can't count":         {tally{listed: true, noCount: down}, nil, 0, 1},
		"can't leave":         {tally{listed: true}, down, 0, 0},
		"can't look or leave": {tally{noLook: down}, down, 0, 1},
	} {
		var log bytes.Buffer
		d := &Doorman{Departures: &c.tally, Log: slog.New(slog.NewTextHandler(&log, nil))}
		calls := 0
		err := d.leave(t.Context(), time.Unix(0, 0).UTC(), "id", func() error { calls++; return c.leave })
		if !errors.Is(err, c.leave) || calls != 1 || len(c.tally.left) != c.left || strings.Count(log.String(), "\n") != c.logged {
			t.Errorf("%s: %v after %d calls, counted %v, logged %s", name, err, calls, c.tally.left, &log)
		}
	}
	var nobody *Doorman
	if err := nobody.leave(t.Context(), time.Now(), "id", func() error { return down }); !errors.Is(err, down) {
		t.Error(err)
	}
}
