package delivery_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidings/internal/audience"
	"tidings/internal/delivery"
	"tidings/internal/digest"
	"tidings/internal/store"
)

func TestEveryoneGetsOneCopy(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3, 49, 50, 51, 199, 200, 2000} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, n)
			w.schedule()
			w.run(time.Hour)
			w.wantOnce()
			if p := w.progress(); p.Delivered != int64(n) {
				t.Errorf("%d delivered, want %d", p.Delivered, n)
			}
			if w.ses.refused > 0 {
				t.Errorf("SES refused %d calls for their rate", w.ses.refused)
			}
			// Canary and pace included.
			if took, most := w.digest().EndedAt.Sub(w.digest().StartedAt), 6*time.Second+time.Duration(n)*time.Second/190; took > most {
				t.Errorf("took %s, at most %s expected", took, most)
			}
			if want := (n + 49) / 50; w.ses.calls != want {
				t.Errorf("%d calls, want %d full ones", w.ses.calls, want)
			}
		})
	}
}

func TestCopiesArePersonal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 120)
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	byAddress := map[string]audience.Subscriber{}
	for _, s := range w.people.all {
		byAddress[s.Email] = s
	}
	places := map[string]bool{}
	for _, m := range w.ses.mails {
		link := "https://news.example.org/unsubscribe/" + byAddress[m.entry.To].ID
		want := []delivery.Header{
			{Name: "List-Unsubscribe", Value: "<" + link + ">"}, {Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
			{Name: "List-Id", Value: `"Example Clinic newsletter" <newsletter.news.example.org>`},
		}
		if !slices.Equal(m.entry.Headers, want) {
			t.Fatalf("headers %v, want %v", m.entry.Headers, want)
		}
		if m.entry.Data["unsubscribe_url"] != link || m.entry.Data["preferences_url"] != strings.Replace(link, "unsubscribe", "preferences", 1) || m.entry.Data["greeting"] != "Hello "+byAddress[m.entry.To].Name+"," {
			t.Fatalf("substitutions %v", m.entry.Data)
		}
		if m.tags["digest"] != testDigest || m.tags["attempt"] != "1" {
			t.Fatalf("tags %v", m.tags)
		}
		places[m.tags["shard"]+"/"+m.tags["batch"]+"/"+m.tags["slot"]] = true
	}
	if len(places) != 120 {
		t.Errorf("120 mails have %d places in the ledger", len(places))
	}
}

func TestCopyNeedsALink(t *testing.T) {
	t.Parallel()
	links := delivery.Linker{Tokens: newPostRoom(t).Tokens, Now: time.Now}
	if _, _, err := (delivery.Copies{Links: links.Links}).Entry(audience.Subscriber{ID: "x"}, epoch); err == nil {
		t.Error("a copy without a link to leave")
	}
}

func TestWhoIsSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	p := w.people.all
	p[0].PausedUntil = epoch.Add(24 * time.Hour)
	p[1].Topics = []string{"mood"}
	p[2].Topics = []string{"mood", "sleep"}
	p[3].ConfirmedAt = epoch.Add(time.Millisecond)
	p[4].ConfirmedAt = epoch
	w.people.onRead = func() { p[5].Status, p[6].Status = audience.Unsubscribed, audience.Erased }
	w.schedule()
	w.run(time.Hour)
	w.wantOnce(p[0].ID, p[1].ID, p[3].ID, p[5].ID, p[6].ID)
	if got := w.progress(); got.Skipped != 4 || got.Audience != 59 {
		t.Errorf("progress %+v, want 4 skipped of 59; who confirmed after the start is not in the audience", got)
	}
}

func TestSecondWalkFindsWhomTheIndexHid(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 300} {
		w := newWorld(t, n)
		w.dispatcher.IndexLag = time.Minute
		for i, s := range w.people.all {
			if i%7 == 1 {
				w.people.hidden[s.ID] = epoch.Add(4 * time.Minute)
			}
		}
		late := w.people.all[n-1].ID
		w.people.all[n-1].ConfirmedAt = epoch.Add(-30 * time.Second) // less than the lag before the start
		w.schedule()
		w.run(time.Hour)
		w.wantOnce(late)
		if p := w.progress(); p.Audience != int64(n-1) {
			t.Errorf("audience %d, want %d", p.Audience, n-1)
		}
		if took := w.digest().EndedAt.Sub(epoch); took < 5*time.Minute {
			t.Errorf("ended after %s, before the index could have settled", took)
		}
	}
}

func TestStartHappensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 30)
	w.schedule()
	ctx := context.Background()
	if err := w.dispatcher.Start(ctx, testDigest, 0); err != nil || w.digest().Status != digest.Scheduled {
		t.Fatalf("a start of another version: %v, digest %s", err, w.digest().Status)
	}
	if err := w.dispatcher.Start(ctx, "unknown", 1); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.agenda = append(w.agenda, w.agenda[0])
	}
	w.run(time.Hour)
	w.agenda = append(w.agenda, appointment{at: w.now, kind: "dispatch", body: digest.StartMessage(testDigest, 1)})
	w.run(time.Hour)
	w.wantOnce()
}

func TestLargeListsAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	w.ses.rate = 1000
	w.schedule()
	w.run(time.Hour)
	w.wantOnce()
	shards := map[string]bool{}
	for _, m := range w.ses.mails {
		shards[m.tags["shard"]] = true
	}
	if len(shards) != 4 || w.ses.refused > 0 {
		t.Errorf("%d shards, %d calls refused; want 4 for a rate of 1,000 a second, and none", len(shards), w.ses.refused)
	}
}

// TestSentMeansCounted has a snapshot that is kept for long, as those of large digests are, until the digest is sent.
func TestSentMeansCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	now := func() time.Time { return w.now }
	tallies := store.Tallies{Table: w.db, Now: now}
	w.gate.before = func(what string) {
		if what != "write S" {
			return
		}
		old, err := tallies.Tally(t.Context(), testDigest)
		if err != nil {
			t.Fatal(err)
		}
		kept := delivery.Tally{Progress: digest.Progress{Audience: 100, Unresolved: 100}, At: w.now, Batches: 1e6, Change: old.Change}
		if err := tallies.SaveTally(t.Context(), testDigest, kept); err != nil {
			t.Fatal(err)
		}
	}
	w.schedule()
	w.run(500 * time.Millisecond)
	w.wantStatus(digest.Sent)
	if p := w.progress(); p.Accepted != 100 || p.Unresolved != 0 {
		t.Errorf("progress %+v as soon as the digest is sent", p)
	}
}
