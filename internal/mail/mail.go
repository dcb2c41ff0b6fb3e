// Package mail builds the messages that Tidings sends: subject, HTML, plain text and headers of confirmations and
// digests. It exists so that what readers get is decided in one place, is the same words in both parts, and can be
// frozen, checked and hashed before any of it is sent.
//
// A digest's content is a template of SES's: everything is rendered here except what differs from reader to reader,
// which is left as one of a few simple substitutions (see Substitutions). Nothing that an editor wrote can become a
// substitution: braces are entities in HTML, and in subject and text "{{" is the substitution {{lbrace}}, whose value is
// "{{". The compiled MJML uses [[ ]] for what is rendered here, so that {{ }} passes through untouched.
package mail

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"net/url"
	"strings"
	texttemplate "text/template"
)

// A Site is what mails say about their sender.
type Site struct {
	Name          string // the clinic's
	BaseURL       string // public origin of the links, without a trailing slash
	PostalAddress string // 15 USC 7704(a)(5)
	Lang          string // of the texts; "en" when empty
}

// Content is one message without its recipient. A digest's holds substitutions; see Render.
type Content struct {
	Subject, Preheader, HTML, Text string
}

// A Builder builds messages. It is safe for concurrent use.
type Builder struct {
	site Site
	html map[string]*htmltemplate.Template
	text map[string]*texttemplate.Template
}

// New reads the templates of fsys, whose root is the folder templates.
func New(fsys fs.FS, site Site) (*Builder, error) {
	site.BaseURL = strings.TrimRight(site.BaseURL, "/")
	if site.Lang == "" {
		site.Lang = "en"
	}
	if u, err := url.Parse(site.BaseURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("mail: base URL %q is not an origin", site.BaseURL)
	}
	b := &Builder{site: site, html: map[string]*htmltemplate.Template{}, text: map[string]*texttemplate.Template{}}
	for _, name := range []string{"confirm", "already", "welcome", "manage", "move", "moved", "digest"} {
		source, err := fs.ReadFile(fsys, "email/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		if b.html[name], err = parseHTML(name, string(source)); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		if source, err = fs.ReadFile(fsys, "email/"+name+".txt"); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		if b.text[name], err = parseText(name, string(source)); err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
	}
	return b, nil
}

// letter is what the mails to one person are rendered from.
type letter struct {
	Site                    Site
	Subject, Preheader, Why string
	Link, Preferences       string // only already, welcome and moved have two
}

// Confirm builds the mail that asks for a confirmation. It contains nothing that the visitor typed, so that nobody can
// make the clinic mail words of theirs to a stranger. It has no substitutions.
func (b *Builder) Confirm(confirmURL string) (Content, error) {
	return b.letter("confirm", letter{
		Site: b.site, Link: confirmURL,
		Subject:   "Please confirm your subscription",
		Preheader: "One press, and our monthly newsletter comes to you.",
		Why:       "You get this mail because this address was entered on our website. We send no other until you confirm.",
	})
}

// AlreadySubscribed builds the answer to a sign-up of someone who is on the list. It has no substitutions.
func (b *Builder) AlreadySubscribed(links Links) (Content, error) {
	return b.letter("already", letter{
		Site: b.site, Link: links.Unsubscribe, Preferences: links.Preferences,
		Subject:   "You are already subscribed",
		Preheader: "There is nothing left to do, and nothing has changed.",
		Why:       "You get this mail because this address, which is on our list, was entered on our website again.",
	})
}

// Welcome builds the mail that follows a confirmation. It has no substitutions.
func (b *Builder) Welcome(links Links) (Content, error) {
	return b.letter("welcome", letter{
		Site: b.site, Link: links.Unsubscribe, Preferences: links.Preferences,
		Subject:   "Welcome to our newsletter",
		Preheader: "Your subscription is confirmed. Here is the link to change what you get.",
		Why:       "You get this mail because you confirmed your subscription on our website.",
	})
}

// Manage builds the mail with a fresh link to somebody's preferences. It has no substitutions.
func (b *Builder) Manage(preferencesURL string) (Content, error) {
	return b.letter("manage", letter{
		Site: b.site, Link: preferencesURL,
		Subject:   "Your link to your preferences",
		Preheader: "For 24 hours it also exports and erases what we hold.",
		Why:       "You get this mail because a new link was asked for on the preferences page of this address.",
	})
}

// Move builds the mail that asks a new address for its confirmation. It contains nothing of who asked. It has no substitutions.
func (b *Builder) Move(confirmURL string) (Content, error) {
	return b.letter("move", letter{
		Site: b.site, Link: confirmURL,
		Subject:   "Please confirm your new address",
		Preheader: "One press, and our monthly newsletter comes to this address.",
		Why:       "You get this mail because this address was entered on our preferences page. We send no other until you confirm.",
	})
}

// Moved builds the mail that tells an old address that it has left, with the page to subscribe it again, and a link to
// its preferences. It does not name the new one. It has no substitutions.
func (b *Builder) Moved(preferencesURL string) (Content, error) {
	return b.letter("moved", letter{
		Site: b.site, Link: b.site.BaseURL + "/subscribe", Preferences: preferencesURL,
		Subject:   "Your newsletter goes to your new address",
		Preheader: "This address is off our list.",
		Why:       "You get this mail, the last one to this address, because your subscription was moved to another.",
	})
}

func (b *Builder) letter(name string, l letter) (Content, error) {
	links := []string{l.Link}
	if name == "already" || name == "welcome" || name == "moved" {
		links = append(links, l.Preferences)
	}
	for _, link := range links {
		if err := checkLink(link); err != nil {
			return Content{}, fmt.Errorf("build mail %s: %w", name, err)
		}
	}
	c, err := b.execute(name, l)
	c.Subject, c.Preheader = l.Subject, l.Preheader
	return c, err
}

// execute fills both parts.
func (b *Builder) execute(name string, data any) (Content, error) {
	var html, text bytes.Buffer
	if err := b.html[name].Execute(&html, data); err != nil {
		return Content{}, fmt.Errorf("build mail %s: %w", name, err)
	}
	if err := b.text[name].Execute(&text, data); err != nil {
		return Content{}, fmt.Errorf("build mail %s: %w", name, err)
	}
	return Content{HTML: html.String(), Text: text.String()}, nil
}

// checkLink refuses what could not stand in both parts as it is. The link itself may be somebody's, so that the error
// does not repeat it.
func checkLink(link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.ContainsAny(link, "{} \t\r\n<>\"") {
		return fmt.Errorf("a link is not an absolute http address")
	}
	return nil
}
