package audience_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tidings/internal/article"
	"tidings/internal/audience"
	"tidings/internal/fault"
	"tidings/templates"
)

var identity = audience.Identity{IDKey: []byte(strings.Repeat("i", 32)), IPKey: []byte(strings.Repeat("p", 32))}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]audience.Address{
		"ana@example.org":                   {"ana@example.org", "ana@example.org"},
		"  ana@example.org ":                {"ana@example.org", "ana@example.org"},
		"Ana.Lima+News@Example.ORG":         {"Ana.Lima+News@example.org", "ana.lima+news@example.org"},
		"o'brien@example.ie":                {"o'brien@example.ie", "o'brien@example.ie"},
		"ana@münchen.example":               {"ana@xn--mnchen-3ya.example", "ana@xn--mnchen-3ya.example"},
		"ana@mu\u0308nchen.example":         {"ana@xn--mnchen-3ya.example", "ana@xn--mnchen-3ya.example"}, // not composed
		"ana@XN--MNCHEN-3YA.example":        {"ana@xn--mnchen-3ya.example", "ana@xn--mnchen-3ya.example"},
		"ana@例え.テスト":                        {"ana@xn--r8jz45g.xn--zckzah", "ana@xn--r8jz45g.xn--zckzah"},
		"ana@example。org":                   {"ana@example.org", "ana@example.org"}, // a full stop of another script
		"success+a@simulator.amazonses.com": {"success+a@simulator.amazonses.com", "success+a@simulator.amazonses.com"},
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61): {
			strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61),
			strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61),
		}, // 254 bytes
	} {
		if got, err := audience.ParseAddress(in); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", in, got, err, want)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", " ", "ana", "ana@", "@example.org", "ana@example", "ana@localhost", "ana@.org", "ana@example.", "ana@example..org",
		"a na@example.org", "ana@exam ple.org", "ana @example.org", "ana@ example.org", "ana\t@example.org", "ana@example.org\r\nBcc: eve@example.org",
		"ana@example.org\n", "\nana@example.org", "ana\x00@example.org", "ana@example.org\x7f", "ana\u00a0@example.org", "ana@example.org\u2028",
		"<script>alert(1)</script>@example.org", "<ana@example.org>", "Ana <ana@example.org>", "ana@example.org, eve@example.org", "ana@example.org;eve@example.org",
		"ana@eve@example.org", `"ana"@example.org`, `"a b"@example.org`, "ana@[127.0.0.1]", "ana@127.0.0.1", "ana@example.123", "ana(x)@example.org",
		".ana@example.org", "ana.@example.org", "a..b@example.org", "añа@example.org", "аna@example.org", "ana@exa_mple.org", "ana@-example.org", "ana@example-.org",
		"ana@exam\u200bple.org\u202e", "ana@xn--a.example", "ana\\@example.org", "ana@example.org/", "ana@example.org?x=1", "ana%00@", "\xff@example.org", "ana@\xff.org",
		strings.Repeat("a", 65) + "@example.org", "ana@" + strings.Repeat("a", 64) + ".org", "a@" + strings.Repeat("b.", 130) + "org",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 62), // 255
		strings.Repeat("a", 1<<20),
	} {
		got, err := audience.ParseAddress(in)
		if !fault.Is(err, fault.Invalid) || got != (audience.Address{}) {
			t.Errorf("%.60q: %+v, %v, want Invalid", in, got, err)
			continue
		}
		if f, _ := errors.AsType[*fault.Error](err); f.Field != "email" || len(in) > 4 && strings.Contains(f.Message, in) {
			t.Errorf("%.60q: fault %+v", in, f)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(s string) string {
		a, err := audience.ParseAddress(s)
		if err != nil {
			t.Fatal(err)
		}
		return identity.ID(a)
	}
	ana := id("ana@example.org")
	if len(ana) != audience.IDLen || strings.Trim(ana, "0123456789abcdefghijklmnopqrstuv") != "" {
		t.Errorf("ID %q", ana)
	}
	for _, same := range []string{" ANA@example.org", "Ana@EXAMPLE.org"} {
		if id(same) != ana {
			t.Errorf("%q is another subscriber", same)
		}
	}
	for _, other := range []string{"ana+x@example.org", "anna@example.org", "ana@example.com"} {
		if id(other) == ana {
			t.Errorf("%q is the same subscriber", other)
		}
	}
	if (audience.Identity{IDKey: []byte(strings.Repeat("j", 32))}).ID(audience.Address{Canonical: "ana@example.org"}) == ana {
		t.Error("the key does not matter")
	}
	for _, odd := range []string{"", "0", "!!", "zz"} {
		if p := audience.Partition(odd); p != 0 {
			t.Errorf("partition %d of %q, which is no ID", p, odd)
		}
	}
	parts := map[int]int{}
	for n := range 6400 {
		parts[audience.Partition(identity.ID(audience.Address{Canonical: strings.Repeat("a", n+1)}))]++
	}
	for p := range audience.Partitions {
		if parts[p] < 50 || parts[p] > 160 {
			t.Errorf("partition %d has %d of 6400", p, parts[p])
		}
	}
}

func TestIPHashes(t *testing.T) {
	t.Parallel()
	h := func(s string) string { return identity.IPHash(netip.MustParseAddr(s)) }
	if h("2001:db8:1:2::1") != h("2001:db8:1:2:ffff::9") || h("2001:db8:1:2::1") == h("2001:db8:1:3::1") {
		t.Error("an IPv6 network of 64 bits is not one")
	}
	if h("192.0.2.1") != h("::ffff:192.0.2.1") || h("192.0.2.1") == h("192.0.2.2") {
		t.Error("IPv4 addresses")
	}
	if h("fe80::1%eth0") != h("fe80::2%eth1") {
		t.Error("zones matter")
	}
	if got := h("192.0.2.1"); len(got) != 32 || strings.Contains(got, "192") && strings.Contains(got, ".") {
		t.Errorf("hash %q", got)
	}
	if identity.IPHash(netip.Addr{}) == "" {
		t.Error("an unknown address has no hash")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "   ": "", " Ana  Lima ": "Ana Lima", "José": "José", "Jose\u0301": "José", "李小龍": "李小龍", "O'Brien & <Sons>": "O'Brien & <Sons>", "Ana\u00a0Lima": "Ana Lima",
		"می\u200cخواهم": "می\u200cخواهم", "👩\u200d⚕️": "👩\u200d⚕️", "{{name}}": "{{name}}", strings.Repeat("é", 80): strings.Repeat("é", 80),
	} {
		if got, err := audience.ParseName(in); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"a\r\nb", "a\tb", "a\x00", "\x1b[31m", "a\u202eb", "a\u2028b", "\xff", strings.Repeat("x", 81), strings.Repeat(" ", 1<<20), "\ufeffAna", "\U000e0001"} {
		if got, err := audience.ParseName(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40q: %q, %v, want Invalid", in, got, err)
		}
	}
}

func TestTopicsAreSlugsAsArticlesHaveThem(t *testing.T) {
	t.Parallel()
	got, err := audience.ParseTopics([]string{"sleep", " Chronic-Pain ", "sleep"})
	if err != nil || !slices.Equal(got, []string{"chronic-pain", "sleep"}) {
		t.Errorf("topics %v, %v", got, err)
	}
	if same, err := article.NormalTopics(got); err != nil || !slices.Equal(same, got) {
		t.Errorf("an article would have them as %v, %v", same, err)
	}
	for _, in := range [][]string{{""}, {"a b"}, {"-a"}, {"a--b"}, {"ä"}, {"a\x00"}, {strings.Repeat("a", 41)}, strings.Split("a b c d e f g h i j k", " ")} {
		if got, err := audience.ParseTopics(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v, %v, want Invalid", in, got, err)
		}
	}
}

// A consent text that was shown is evidence: it never changes. Add a version instead.
func TestConsentTextsStay(t *testing.T) {
	t.Parallel()
	c, err := audience.LoadConsent(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	known := map[int]string{1: "f527094ec6b8b29febd7d14e0ba95f5b2786c36a491b410f7ccf925b9ad35a53"}
	if got := c.Agreed(); got.Version != c.Version || got.SHA256 != known[c.Version] {
		t.Errorf("version %d has the hash %s, want %s", c.Version, got.SHA256, known[c.Version])
	}
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	c, err = audience.LoadConsent(fstest.MapFS{"consent/v2.txt": file("two"), "consent/v10.txt": file("ten"), "consent/v9.txt": file("nine")})
	if err != nil || c != (audience.Consent{Version: 10, Text: "ten"}) {
		t.Errorf("newest %+v, %v", c, err)
	}
	for name, fsys := range map[string]fstest.MapFS{"none": {}, "odd name": {"consent/vx.txt": file("x")}, "zero": {"consent/v0.txt": file("x")}} {
		if c, err := audience.LoadConsent(fsys); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for status, want := range map[audience.Status]audience.Answer{
		"": audience.Ask, audience.Unsubscribed: audience.Ask, audience.Erased: audience.Ask, audience.Confirmed: audience.Already,
		audience.Bounced: audience.AskOnce, audience.Complained: audience.AskOnce,
	} {
		st := audience.Standing{Subscriber: audience.Subscriber{Status: status}, Waits: true}
		if got := st.Answer(); got != want {
			t.Errorf("%q: %s, want %s", status, got, want)
		}
		if st.Waits = false; st.Answer() != audience.Silence {
			t.Errorf("%q without a request: %s", status, st.Answer())
		}
	}
}

// kept records the requests it is to keep.
type kept struct {
	requests []audience.Request
	err      error
}

func (k *kept) Add(_ context.Context, r audience.Request, perHour int) error {
	k.requests = append(k.requests, r)
	return k.err
}

// sent records messages.
type sent struct{ bodies []string }

func (s *sent) Send(_ context.Context, body []byte, delay time.Duration) error {
	s.bodies = append(s.bodies, string(body))
	return nil
}

func newSignUps(k *kept, q *sent) *audience.SignUps {
	return &audience.SignUps{Requests: k, Queue: q, Identity: identity, Consent: audience.Consent{Version: 3, Text: "Yes."}, PerHour: 60,
		Now: func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 1500, time.UTC) }}
}

func TestSignUpKeepsItsEvidenceAndQueuesTheIDOnly(t *testing.T) {
	t.Parallel()
	k, q := &kept{}, &sent{}
	visit := audience.Visit{IP: netip.MustParseAddr("192.0.2.1"), Referer: "https://user:pw@clinic.example/news/join?email=ana@example.org#x"}
	if err := newSignUps(k, q).Add(context.Background(), audience.Form{Email: "Ana@Example.org", Name: " Ana ", Topics: []string{"sleep"}, Visit: visit}); err != nil {
		t.Fatal(err)
	}
	r := k.requests[0]
	if r.Email != "Ana@example.org" || r.ID != identity.ID(audience.Address{Canonical: "ana@example.org"}) {
		t.Errorf("request %+v", r)
	}
	e := r.Event
	if e.Kind != audience.EventRequested || e.Name != "Ana" || e.Page != "https://clinic.example/news/join" || e.IPHash != identity.IPHash(visit.IP) ||
		e.Agreed == nil || e.Agreed.Version != 3 || len(e.Agreed.SHA256) != 64 || e.How != audience.HowForm || !e.At.Equal(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("event %+v", e)
	}
	if want := `{"kind":"signup","subscriber":"` + r.ID + `"}`; !slices.Equal(q.bodies, []string{want}) {
		t.Errorf("messages %q, want %s", q.bodies, want)
	}
}

func TestNothingIsKeptOfWhatIsNotASignUp(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]audience.Form{
		"address": {Email: "ana"}, "name": {Email: "a@b.org", Name: "\n"}, "topics": {Email: "a@b.org", Topics: []string{"?"}},
		"trap": {Email: "a@b.org", Trap: "x"}, "trap and no address": {Trap: "x"},
	} {
		k, q := &kept{}, &sent{}
		err := newSignUps(k, q).Add(context.Background(), f)
		if trap := f.Trap != ""; trap != (err == nil) || !trap && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if len(k.requests)+len(q.bodies) > 0 {
			t.Errorf("%s: kept %v, sent %v", name, k.requests, q.bodies)
		}
	}
	k, q := &kept{err: &audience.LimitError{After: time.Minute}}, &sent{}
	if err := newSignUps(k, q).Add(context.Background(), audience.Form{Email: "a@b.org"}); !fault.Is(err, fault.Limited) || len(q.bodies) > 0 {
		t.Errorf("beyond the limit: %v, sent %v", err, q.bodies)
	}
}

func TestPagesOfOtherKindsAreNotKept(t *testing.T) {
	t.Parallel()
	for referer, want := range map[string]string{
		"": "", "about:blank": "", "javascript:alert(1)": "", "/local": "", "https://": "", "::": "", "https://clinic.example": "https://clinic.example",
		"http://127.0.0.1:8080/subscribe?x": "http://127.0.0.1:8080/subscribe", "https://clinic.example/" + strings.Repeat("é", 200): "https://clinic.example/" + strings.Repeat("%C3%A9", 30)[:177],
	} {
		k := &kept{}
		if err := newSignUps(k, &sent{}).Add(context.Background(), audience.Form{Email: "a@b.org", Visit: audience.Visit{Referer: referer}}); err != nil {
			t.Fatal(err)
		}
		if got := k.requests[0].Event.Page; got != want {
			t.Errorf("%q: kept %q, want %q", referer, got, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"ana@example.org", "a+b@münchen.example", "<a@b.c>", "a@b.c\r\n", "ana@例え.テスト", "a@xn--mnchen-3ya.example", "ß@ß.de", "a@faß.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := audience.ParseAddress(s)
		if err != nil {
			return
		}
		for _, form := range []string{a.Sendable, a.Canonical} {
			if len(form) > audience.MaxAddress || strings.ContainsFunc(form, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>()[],;:\\\"", r) }) || strings.Count(form, "@") != 1 {
				t.Errorf("%q gives %q", s, form)
			}
			if b, err := audience.ParseAddress(form); err != nil || b.Canonical != a.Canonical {
				t.Errorf("%q gives %q, which gives %+v, %v", s, form, b, err)
			}
		}
		if b, err := audience.ParseAddress(a.Sendable); err != nil || b != a {
			t.Errorf("%q: the sendable form of %q is %q", s, a.Sendable, b.Sendable)
		}
	})
}

func FuzzParseName(f *testing.F) {
	f.Add("Ana")
	f.Add("Jose\u0301\u00a0x")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := audience.ParseName(s)
		if err != nil {
			return
		}
		if again, err := audience.ParseName(n); err != nil || again != n || strings.ContainsAny(n, "\r\n\t\x00") {
			t.Errorf("%q gives %q, which gives %q, %v", s, n, again, err)
		}
	})
}
