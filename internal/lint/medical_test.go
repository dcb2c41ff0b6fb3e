package lint_test

import (
	"strings"
	"testing"

	"tidings/internal/article"
	"tidings/internal/digest"
)

// judged returns what the linter finds in one paragraph of an article.
func judged(t *testing.T, text string) []digest.Finding {
	t.Helper()
	a := written(t, "About our work", strings.ReplaceAll(text, "*", `\*`))
	return newLinter(t).Lint(composed(t, digest.Digest{}, a), []article.Article{a})
}

func TestClaims(t *testing.T) {
	t.Parallel()
	for rule, texts := range map[string][]string{
		"med-claims": {
			"Ketamine cures depression.", "A cure for depression is here.", "It is a miracle.", "A miraculous recovery awaits you.", "Results are guaranteed.",
			"We guarantee relief.", "Our treatment is risk-free.", "It is risk free.", "There is no risk.", "It has no side effects.", "Relief without side effects!",
			"It works 100% of the time.", "It is 100 % natural.", "Ketamine is non-addictive.", "Ketamine is nonaddictive.", "Ketamine is not addictive.",
			"Not only does it help, it cures.", "It is not just a treatment but a cure.", "Don't wait: a cure is near.", "It is not like other drugs, it is a miracle.",
			"It is not cheap. It is a cure.", "No doubt: this is a miracle cure.", "Ketamine is a cu\u00ADre.", "KETAMINE CURES DEPRESSION", "Cure‑all for the mind: a cure-all.",
			"Although it is not for everyone, ketamine cures.", "We do not use opioids and it cures pain.", "Never before has it been so easy to cure pain.", "You no longer suffer, guaranteed.",
		},
		"med-approved": {
			"Ketamine is FDA-approved for depression.", "FDA approved ketamine is here.", "Our FDA-approved ketamine therapy helps.", "Ketamine is approved by the FDA for PTSD.",
			"Like Spravato, ketamine is FDA-approved for depression.", "Ketamine helps. It is FDA-approved.", "Ketamine is approved by the U.S. Food and Drug Administration for anxiety.",
			"Our infusions are FDA approved.", "Unlike Spravato, ketamine lozenges are FDA-approved.", "An FDA-approved anesthetic, ketamine relieves depression.",
		},
		"med-balance": {"Get high with us.", "Enjoy the trip of a lifetime.", "The ultimate high.", "Take a trip with us.", "A natural high, without regrets.", "Ketamine gives you a pleasant psychedelic trip."},
	} {
		for _, text := range texts {
			if !has(judged(t, text), rule, digest.SeverityError) {
				t.Errorf("%s: no error in %q: %+v", rule, text, judged(t, text))
			}
		}
	}
}

func TestDeniedClaims(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Ketamine is not a cure.", "It isn't a cure.", "It is not a miracle cure.", "It is a tool rather than a cure.", "Think of it as a tool instead of a cure.",
		"There is no cure for depression.", "Nobody can guarantee a result.", "We cannot guarantee results.", "We can’t guarantee results.", "Results are not guaranteed.",
		"No treatment is risk-free.", "It is not risk-free.", "It is not without side effects.", "Nothing is without risks.", "It is neither a cure nor a miracle.",
		"It does not cure depression.", "Far from a cure, it is a beginning.", "A cure it is not.", "A guarantee does not exist.", "Beware of anyone who promises a cure.",
		"It is not a cure, a guarantee or a miracle.", "What it is not: a cure.", "Is it a cure? No.", "Ketamine — not a cure — can be a tool.",
		"Patients understand that ketamine is a tool rather than a cure.", "Not a 100% solution.", "Ketamine is not non-addictive.", "It is hardly a miracle.",
		"The risk-taking of youth, secure and mature.", "He promised neither cures nor guarantees.", "It is never a guarantee.",
		"Ketamine is not FDA-approved for depression.", "Ketamine is not FDA approved.", "Ketamine isn’t FDA-approved for PTSD.", "Ketamine has not been approved by the FDA for depression.",
		"Ketamine has no FDA approval for anxiety.", "Ketamine lacks FDA approval for depression.", "No form of ketamine other than Spravato is FDA-approved for depression.",
		"Spravato is FDA-approved.", "Esketamine nasal spray is FDA-approved for depression.", "Unlike ketamine, Spravato is FDA-approved.",
		"Ketamine is old. Esketamine, a relative, is FDA-approved.", "FDA-approved esketamine is given here.", "Ketamine is FDA-approved as an anesthetic.",
		"Ketamine has yet to be FDA-approved for depression.", "Ketamine is used off-label, without FDA approval.", "An FDA-approved blood pressure cuff is on the wall.",
		"Recreational users take it to get high.", "It comes in a high dose.", "Arrange your trip home.", "A trip to the clinic takes an hour.", "People at high risk get high quality care.",
		"We do not chase a high.",
	} {
		for _, f := range errorsOf(judged(t, text)) {
			t.Errorf("%q: %s: %s", text, f.Rule, f.Message)
		}
	}
}

func TestMedicalWarnings(t *testing.T) {
	t.Parallel()
	for rule, texts := range map[string][]string{
		"med-claims": {
			"A safe treatment.", "It is a proven method.", "A breakthrough in psychiatry.", "It is more effective than antidepressants.", "Our groundbreaking work.",
			"Is ketamine a cure for depression?",
		},
		"med-approved": {"Ketamine is an FDA-approved anesthetic."},
		"med-balance": {
			"Ketamine brings relief within hours.", "Anna’s success story shows it.", "“I felt nothing but relief, and my family noticed.”", "Our ketamine lozenges come by mail.", "The trip begins here.",
		},
		"link-private": {"This month's issue is sponsored by a maker of lamps."},
	} {
		for _, text := range texts {
			found := judged(t, text)
			if !has(found, rule, digest.SeverityWarning) {
				t.Errorf("%s: no warning in %q", rule, text)
			}
			if len(errorsOf(found)) > 0 {
				t.Errorf("%q: %+v", text, errorsOf(found))
			}
		}
	}
	for _, text := range []string{
		"It is not proven.", "Whether it is safe depends on you.", "Relief comes with risks: nausea and a rise in blood pressure.", "In a trial, one in three found relief.",
		"Compounded ketamine lozenges are not evaluated by the FDA.", "“A quiet room helps,” she says.",
	} {
		for _, f := range judged(t, text) {
			t.Errorf("%q: %s: %s", text, f.Rule, f.Message)
		}
	}
}

// What an article says is told once, of the article, although the digest repeats its summary in two parts.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	a, err := article.New(article.Draft{Title: "A miracle", Summary: "Ketamine cures depression.", Body: "Ketamine cures depression.", Format: article.Markdown}, now)
	if err != nil {
		t.Fatal(err)
	}
	found := errorsOf(newLinter(t).Lint(composed(t, digest.Digest{}, a), []article.Article{a}))
	if len(found) != 2 {
		t.Errorf("%d findings, want one for the title and one for the sentence: %+v", len(found), found)
	}
	for _, f := range found {
		if !strings.Contains(f.Message, "the article “A miracle”") {
			t.Errorf("message %q", f.Message)
		}
	}
}

// The intro belongs to the digest, and stands in both parts.
func TestIntroIsJudged(t *testing.T) {
	t.Parallel()
	a := written(t, "Sleep", "Sleep well.")
	found := errorsOf(newLinter(t).Lint(composed(t, digest.Digest{Intro: "This month: a cure, guaranteed."}, a), []article.Article{a}))
	if len(found) != 2 || !strings.Contains(found[0].Message, "the digest") {
		t.Errorf("%+v", found)
	}
}

// Many findings alike are counted, not listed.
func TestManyAlike(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	for _, who := range strings.Fields("Ann Bob Cem Dan Eve Fay Gus Hal Ida Joe") {
		body.WriteString(who + " found a cure.\n\n")
	}
	found := errorsOf(judged(t, body.String()))
	if len(found) != 6 || !strings.Contains(found[5].Message, "5 more") {
		t.Errorf("%d findings: %+v", len(found), found)
	}
}
