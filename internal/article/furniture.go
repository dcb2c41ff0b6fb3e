package article

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxFurniture is the length in characters above which a block is surely part of the article.
const maxFurniture = 240

// furniture matches, from the block's start, what pages put around every article.
var furniture = regexp.MustCompile(`(?i)^(?:` + strings.Join([]string{
	// subscribe boxes and their answers
	`(?:subscribe|sign up|join|signup)\b.{0,40}\b(?:newsletter|mailing list|email list|updates|emails?)\b.{0,40}$`,
	`subscribe(?: now| today| here)?[.!]?$`,
	`(?:thanks|thank you)(?: so much)? for (?:joining|subscribing|signing up|your (?:submission|message|interest)|contacting)\b.{0,80}$`,
	`thank you!? your (?:submission|message|request) has been (?:received|sent).{0,40}$`,
	`(?:oops|uh[- ]oh|sorry)[!,.]? something went wrong.{0,80}$`,
	`something went wrong while submitting.{0,40}$`,
	`(?:enter |your )?(?:your )?e-?mail(?: address)?\s*\*?:?$`,
	`(?:first name|last name|your name|submit|no spam\b.{0,60}|unsubscribe (?:at )?any ?time.{0,40})\s*[*.!:]?$`,
	// banners
	`(?:we|this (?:site|website)) uses? cookies\b.*$`,
	`by (?:clicking|continuing|using)\b.{0,120}\bcookies?\b.*$`,
	`(?:accept|reject|decline|allow)(?: all)?(?: cookies)?$`,
	`(?:cookie|privacy) (?:settings|preferences|policy|notice)$`,
	// navigation
	`skip to (?:main )?(?:content|navigation)$`,
	`(?:open|close|toggle) (?:menu|navigation|search)$`,
	`(?:back to (?:top|blog|all (?:posts|articles))|read more|learn more|load more|view all|see all(?: posts)?)\s*[→»›.]*$`,
	`[←«‹]?\s*(?:previous|next|older|newer)(?: (?:post|article|entry|posts))?\s*[→»›]?$`,
	// sharing and footers
	`(?:tweet|pin it|copy link|share (?:this|on|via)\b.{0,40}|follow us\b.{0,40}|like this:?.{0,20})$`,
	`(?:leave a (?:comment|reply)|\d+ comments?|comments are closed|no comments(?: yet)?)\.?$`,
	`(?:©|\(c\)|copyright)\s.*$`,
	`all rights reserved\.?.{0,80}$`,
	`(?:terms (?:of (?:use|service)|and conditions|& conditions)|powered by .{1,40}|sitemap)$`,
}, "|") + `)`)

// menu matches single words that are navigation in a page's head or tail, and could be a heading in between.
var menu = regexp.MustCompile(`(?i)^(?:home|about|about us|contact|contact us|blog|news|faqs?|services|pricing|team|log ?in|sign in|book now|` +
	`book (?:an appointment|a consultation)|get started|menu|search|share|print|send|facebook|twitter|x|linkedin|instagram|youtube|pinterest|email|whatsapp)$`)

// blurb matches the line that advertises a newsletter; only next to a subscribe box.
var blurb = regexp.MustCompile(`(?i)^(?:receive|get|stay|keep|be the first|join|don[’']t miss|never miss|sign up|we[’'](?:ll|d)|no spam|name|email)\b`)

var subscribeBox = regexp.MustCompile(`(?i)^(?:subscribe|sign up|signup|join)\b`)

// related opens the page's tail: links to other posts, to its end.
var related = regexp.MustCompile(`(?i)^(?:(?:related|recent|similar|more|latest|other|recommended)\s(?:posts?|articles?|stories|blogs?)|you (?:may|might) also (?:like|enjoy)|keep reading|read next)\b.{0,30}$`)

// isFurniture reports whether a block on its own is page furniture.
func isFurniture(text string) bool {
	return utf8.RuneCountInString(text) <= maxFurniture && furniture.MatchString(collapse(text))
}

// dropFurniture removes page furniture from a run of blocks, whose text textOf returns ("" for lists and the like, which
// stay except in a tail of links).
func dropFurniture[B any](blocks []B, textOf func(B) string) []B {
	out := make([]B, 0, len(blocks))
	inBox, tail, long := false, tailOf(blocks, textOf), lastLong(blocks, textOf)
	for i, b := range blocks {
		t := collapse(textOf(b))
		if i > long && related.MatchString(t) {
			break
		}
		switch {
		case t == "":
			inBox = false
		case isFurniture(t):
			inBox = inBox || subscribeBox.MatchString(t)
			continue
		case i >= tail && menu.MatchString(t):
			continue
		case inBox && utf8.RuneCountInString(t) <= maxFurniture && blurb.MatchString(t):
			continue
		default:
			inBox = false
		}
		out = append(out, b)
	}
	return out
}

// tailOf returns the index after the last block that is prose, a list or the like.
func tailOf[B any](blocks []B, textOf func(B) string) int {
	for i := len(blocks); i > 0; i-- {
		if t := collapse(textOf(blocks[i-1])); t == "" || prose(t) && !isFurniture(t) {
			return i
		}
	}
	return 0
}

// lastLong returns the index of the last block that is long enough to be prose of the article, -1 when none is.
func lastLong[B any](blocks []B, textOf func(B) string) int {
	for i := len(blocks) - 1; i >= 0; i-- {
		if utf8.RuneCountInString(collapse(textOf(blocks[i]))) > maxFurniture {
			return i
		}
	}
	return -1
}
