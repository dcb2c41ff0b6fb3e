// Package lint reads a rendered digest and the full text of its articles before they go out, and says what the law, the
// mailboxes and a careful clinic would object to. It exists so that a claim nobody may make about ketamine, a missing
// footer or a link that tells on its reader is found while it can still be corrected: an error keeps a digest from being
// scheduled, a warning is for a person to judge.
//
// What each rule demands, why, and from which source stands in templates/lint/rules.yaml; the words that it looks for in
// words.yaml beside it, where an editor can change them. Here is only how they are applied.
//
// Claims are judged sentence by sentence. A claim that is denied in its own clause ("not a cure", "rather than a cure",
// "a cure it is not") is none; one that a question asks about is a warning at most. An error cannot be waived, so where
// words alone do not tell, the linter warns.
package lint
