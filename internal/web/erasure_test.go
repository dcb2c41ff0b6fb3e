package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"tidings/internal/audience"
)

// everything returns all keys and values of the table and its indexes, in lower case.
func (s *peopleSite) everything() []byte {
	s.t.Helper()
	raw, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	copied := filepath.Join(s.t.TempDir(), "copy.db") // the file itself is open
	if err := os.WriteFile(copied, raw, 0o600); err != nil {
		s.t.Fatal(err)
	}
	db, err := bbolt.Open(copied, 0o600, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	var all bytes.Buffer
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				all.Write(k)
				all.WriteByte('\n')
				all.Write(v)
				all.WriteByte('\n')
				return nil
			})
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return bytes.ToLower(all.Bytes())
}

// spellings returns a word in all encodings that anything here writes, in lower case: as it is, in JSON, URLs, hex, and base64
// wherever it may begin.
func spellings(word string) map[string]string {
	quoted, _ := json.Marshal(word)
	out := map[string]string{
		"plain": word, "json": strings.Trim(string(quoted), `"`), "url": url.QueryEscape(word), "path": url.PathEscape(word), "hex": hex.EncodeToString([]byte(word)),
	}
	for i, name := range []string{"base64 at 0", "base64 at 1", "base64 at 2"} {
		// what stands before and after shares characters with it: those are left out
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + word))
		out[name] = encoded[(i*8+5)/6 : len(encoded)-4]
		out[name+", for URLs"] = strings.NewReplacer("+", "-", "/", "_").Replace(out[name])
	}
	for name, s := range out {
		out[name] = strings.ToLower(s)
	}
	return out
}

// After an erasure the whole table holds nothing of the address and the name, in any encoding.
func TestErasureLeavesNoTrace(t *testing.T) {
	t.Parallel()
	const email, name = "Ana.Secret+news@example.org", "Zoë Uncommon"
	s := newPeopleSite(t)
	s.join("ben@example.org")
	s.ask(anIP, "POST", "/subscribe", formType, url.Values{"email": {email}, "name": {name}, "topics": {"sleep"}}.Encode())
	s.post(link(t, s.mails()[0]))
	s.mails()
	path := s.manageLink(email)
	s.ask(anIP, "POST", path, jsonType, `{"name":"Zoë Uncommon II","topics":["mood"]}`)
	s.post(path + "/link")
	s.mails()
	s.ask(anIP, "POST", "/subscribe", formType, url.Values{"email": {email}, "name": {name}}.Encode()) // waits
	s.mails()
	before := s.everything()
	for _, word := range []string{"ana.secret+news", "uncommon"} {
		if !bytes.Contains(before, []byte(word)) {
			t.Fatalf("%q was not to be found before, so that this test proves nothing", word)
		}
	}
	if w := s.post(path + "/erase"); w.Code != 200 {
		t.Fatalf("erase: %d %s", w.Code, w.Body)
	}
	after := s.everything()
	for _, word := range []string{email, "ana.secret+news@example.org", "Ana.Secret", name, "Uncommon", anIP} {
		for how, spelling := range spellings(word) {
			if bytes.Contains(after, []byte(spelling)) {
				t.Errorf("%q is still there: %s", word, how)
			}
		}
	}
	if !bytes.Contains(after, []byte(s.id(email))) || !bytes.Contains(after, []byte("ben@example.org")) {
		t.Error("the suppression is gone too, or somebody else")
	}
	held, err := s.people.Held(t.Context(), s.id(email))
	if err != nil || held.Waits || len(held.Events) > 0 || held.Subscriber.Reason != audience.Unsubscribed || !held.Subscriber.LeftAt.Equal(s.clock()) {
		t.Errorf("held %+v, %v", held, err)
	}
}
