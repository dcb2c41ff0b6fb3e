package sesapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"tidings/infra/local/sesapi"
)

func TestBulkMailIsEachReadersOwn(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if got := l.send(bulk(people(50)...)); got != "SUCCESS 50" {
		t.Fatal(got)
	}
	total, list := l.Find(sesapi.Query{Subject: "FOR n7", Limit: -1})
	if total != 1 || list[0].To[0] != "reader7@example.com" {
		t.Fatalf("found %d", total)
	}
	m := list[0]
	if m.Text() != "Hello N7, leave: https://juniper.example/u/7\n" || m.HTML() != `<p>Hello N7</p><a href="https://juniper.example/u/7">leave</a>` {
		t.Errorf("text %q, html %q", m.Text(), m.HTML())
	}
	equal(t, "tags", m.Tags(), []sesapi.Tag{{Name: "digest", Value: "d1"}, {Name: "slot", Value: "7"}})
	var own []string
	for _, h := range m.Headers()[5:] {
		own = append(own, h.Name+"="+h.Value)
	}
	equal(t, "headers: the replacement beats the default, in the order given", own,
		[]string{"X-Digest=one", "List-Unsubscribe=<https://juniper.example/u/7>", "list-id=own"})
	checkRaw(t, m)
	if total, list = l.Find(sesapi.Query{Before: m.ID, Limit: 5}); total != 50 || len(list) != 5 || list[0].To[0] != "reader6@example.com" {
		t.Errorf("page: %d of %d", len(list), total)
	}
	if total, list = l.Find(sesapi.Query{Before: "unknown", Limit: 5}); total != 50 || len(list) != 0 {
		t.Errorf("before a mail that is not there: %d of %d", len(list), total)
	}
	l.Clear()
	if total, _ = l.Find(sesapi.Query{Limit: -1}); total != 0 {
		t.Errorf("%d after clearing", total)
	}
}

func TestSubstitutionIsSESs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ template, defaults, data, want, failure string }{
		"not escaped":          {"{{a}}", "", `{"a":"<b> & \"c\""}`, `<b> & "c"`, ""},
		"once":                 {"{{a}}{{b}}", "", `{"a":"{{b}}","b":"{{"}`, "{{b}}{{", ""},
		"default":              {"{{a}} {{b}}", `{"a":"1","b":"2"}`, `{"b":"3"}`, "1 3", ""},
		"blanks":               {"{{ a }}", "", `{"a":"x"}`, "x", ""},
		"numbers, booleans":    {"{{a}} {{b}}", "", `{"a":12345678901234567890,"b":true}`, "12345678901234567890 true", ""},
		"empty value":          {"[{{a}}]", "", `{"a":""}`, "[]", ""},
		"missing":              {"{{a}}", "", `{"b":"x"}`, "", "Attribute 'a' is not present in the rendering data."},
		"null":                 {"{{a}}", `{"a":"x"}`, `{"a":null}`, "", "Attribute 'a' is not present in the rendering data."},
		"list":                 {"{{a}}", "", `{"a":["x"]}`, "", "Attribute 'a' is not present in the rendering data."},
		"block":                {"{{#if a}}x{{/if}}", "", `{"a":"x"}`, "", "Attribute '#if a' is not present in the rendering data."},
		"triple":               {"{{{a}}}", "", `{"a":"x"}`, "", "Attribute '{a' is not present in the rendering data."},
		"not closed":           {"{{a", "", `{"a":"x"}`, "", "The template has a substitution that is not closed."},
		"names differ in case": {"{{A}}", "", `{"a":"x"}`, "", "Attribute 'A' is not present in the rendering data."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			in := bulk("ana@example.com")
			tpl := in.DefaultContent.Template
			tpl.TemplateContent = &types.EmailTemplateContent{Subject: aws.String("s"), Html: aws.String("h"), Text: &c.template}
			tpl.TemplateData = nil
			if c.defaults != "" {
				tpl.TemplateData = &c.defaults
			}
			in.BulkEmailEntries[0].ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData = &c.data
			if got := l.send(in); got != "SUCCESS 1" {
				t.Fatal(got)
			}
			total, list := l.Find(sesapi.Query{Limit: -1})
			if c.failure == "" {
				if total != 1 || list[0].Text() != c.want {
					t.Errorf("%d mails: %q, want %q", total, list[0].Text(), c.want)
				}
				return
			}
			if total != 0 || len(l.events) != 1 {
				t.Fatalf("%d mails, %d events", total, len(l.events))
			}
			if e := l.events[0]; e.DetailType != "Email Rendering Failed" || e.Detail.EventType != "Rendering Failure" || e.Detail.Failure.ErrorMessage != c.failure {
				t.Errorf("event %+v", e)
			}
		})
	}
}

func TestOneMailInACallCannotBeRendered(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	in := bulk(people(3)...)
	in.DefaultContent.Template.TemplateData = aws.String("{}")
	in.BulkEmailEntries[1].ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData = aws.String(`{"name":"x"}`)
	if got := l.send(in); got != "SUCCESS 3" {
		t.Fatal(got)
	}
	if total, _ := l.Find(sesapi.Query{Limit: -1}); total != 2 {
		t.Errorf("%d mails", total)
	}
	equal(t, "events", l.published(), []string{"Send", "Delivery", "Rendering Failure", "Send", "Delivery"})
	account, err := l.client.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	if err != nil || account.SendQuota.SentLast24Hours != 3 {
		t.Errorf("quota used: %v %v", account.SendQuota, err)
	}
}

func TestSubstitutedLineEndsStayInTheSubject(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	in := bulk("ana@example.com")
	data, _ := json.Marshal(map[string]string{"name": "x\r\nBcc: eve@example.com", "link": strings.Repeat("=é", 400)})
	in.BulkEmailEntries[0].ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData = aws.String(string(data))
	if got := l.send(in); got != "SUCCESS 1" {
		t.Fatal(got)
	}
	_, list := l.Find(sesapi.Query{Limit: 1})
	if strings.Contains(string(list[0].Raw()), "\r\nBcc:") && !strings.Contains(list[0].Subject(), "\r\nBcc") {
		t.Error("a substituted value became a header")
	}
	for _, h := range list[0].Headers() {
		if h.Name == "Bcc" {
			t.Error("a substituted value became a header")
		}
	}
}

func TestRefusedBulkRequests(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(c *sesapi.Config) { c.ConfigurationSets = map[string][]string{"tidings": nil} })
	l.change(`{"maxSendRate":100000}`)
	type in = sesv2.SendBulkEmailInput
	tpl := func(f func(*types.Template)) func(*in) { return func(i *in) { f(i.DefaultContent.Template) } }
	entry := func(f func(*types.BulkEmailEntry)) func(*in) { return func(i *in) { f(&i.BulkEmailEntries[1]) } }
	for name, c := range map[string]struct {
		change func(*in)
		want   string
	}{
		"as it is":        {func(*in) {}, "SUCCESS 2"},
		"no entries":      {func(i *in) { i.BulkEmailEntries = i.BulkEmailEntries[:0] }, "BadRequestException"},
		"51 entries":      {func(i *in) { *i = *bulk(people(51)...) }, "BadRequestException"},
		"no sender":       {func(i *in) { i.FromEmailAddress = nil }, "BadRequestException"},
		"stored template": {tpl(func(x *types.Template) { x.TemplateContent, x.TemplateName = nil, aws.String("t") }), "NotFoundException"},
		"two templates":   {tpl(func(x *types.Template) { x.TemplateName = aws.String("t") }), "BadRequestException"},
		"no content":      {tpl(func(x *types.Template) { x.TemplateContent = nil }), "BadRequestException"},
		"no subject":      {tpl(func(x *types.Template) { x.TemplateContent.Subject = nil }), "BadRequestException"},
		"too large":       {tpl(func(x *types.Template) { x.TemplateContent.Html = aws.String(strings.Repeat("x", 1<<20)) }), "BadRequestException"},
		"attachment": {tpl(func(x *types.Template) {
			x.Attachments = []types.Attachment{{FileName: aws.String("f"), RawContent: []byte("x")}}
		}), "BadRequestException"},
		"default data":   {tpl(func(x *types.Template) { x.TemplateData = aws.String("[]") }), "BadRequestException"},
		"default header": {tpl(func(x *types.Template) { x.Headers = []types.MessageHeader{header("Date", "x")} }), "BadRequestException"},
		"default tag":    {func(i *in) { i.DefaultEmailTags[0].Value = aws.String("ü") }, "BadRequestException"},
		"data": {entry(func(e *types.BulkEmailEntry) {
			e.ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData = aws.String(`{"a":`)
		}), "BadRequestException"},
		"long data": {entry(func(e *types.BulkEmailEntry) {
			e.ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData = aws.String(strings.Repeat(" ", 262145))
		}), "BadRequestException"},
		"header":          {entry(func(e *types.BulkEmailEntry) { e.ReplacementHeaders = []types.MessageHeader{header("Bcc", "x")} }), "BadRequestException"},
		"tag":             {entry(func(e *types.BulkEmailEntry) { e.ReplacementTags[0].Name = aws.String("a:b") }), "BadRequestException"},
		"address":         {entry(func(e *types.BulkEmailEntry) { e.Destination.ToAddresses[0] = "é@example.com" }), "BadRequestException"},
		"nobody":          {entry(func(e *types.BulkEmailEntry) { e.Destination = &types.Destination{} }), "BadRequestException"},
		"unknown set":     {func(i *in) { i.ConfigurationSetName = aws.String("x") }, "CONFIGURATION_SET_NOT_FOUND 2"},
		"no replacements": {entry(func(e *types.BulkEmailEntry) { *e = types.BulkEmailEntry{Destination: e.Destination} }), "SUCCESS 2"},
		"to, cc, bcc": {entry(func(e *types.BulkEmailEntry) {
			e.Destination.CcAddresses, e.Destination.BccAddresses = people(1), people(2)
		}), "SUCCESS 2"},
	} {
		t.Run(name, func(t *testing.T) {
			l.Clear()
			in := bulk("ana@example.com", "ben@example.com")
			c.change(in)
			if got := l.send(in); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if total, _ := l.Find(sesapi.Query{Limit: -1}); (total > 0) != strings.HasPrefix(c.want, "SUCCESS") {
				t.Errorf("%d mails", total)
			}
		})
	}
}

// A digest to 50,000 costs its addresses, not 50,000 copies of its template: many calls bring equal templates, which are kept once.
func TestMailsShareTheirTemplate(t *testing.T) { // not parallel: it measures the heap
	l := newLab(t)
	l.change(`{"maxSendRate":1e6,"max24HourSend":-1}`)
	html := "<p>{{name}}</p>" + strings.Repeat("x", 80_000)
	before := heap()
	const calls = 200
	for range calls {
		in := bulk(people(50)...)
		in.DefaultContent.Template.TemplateContent.Html = &html
		if got := l.send(in); got != "SUCCESS 50" {
			t.Fatal(got)
		}
		l.published()
	}
	if total, list := l.Find(sesapi.Query{Limit: 1}); total != 50*calls || len(list[0].HTML()) < 80_000 {
		t.Fatalf("%d mails", total)
	}
	perMail := float64(heap()-before) / (50 * calls)
	t.Logf("%.0f bytes a mail", perMail)
	if perMail > 4000 {
		t.Errorf("%.0f bytes a mail", perMail)
	}
	begin := time.Now()
	if total, _ := l.Find(sesapi.Query{To: "nobody@example.com", Limit: -1}); total != 0 {
		t.Error("found somebody")
	}
	t.Logf("a search of %d mails took %v", 50*calls, time.Since(begin))
}
