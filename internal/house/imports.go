package house

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// The rooms of the house.
var (
	domain   = internal("audience", "article", "digest", "delivery", "token", "mail", "lint")
	adapters = internal("dynamo", "bolt", "ses", "sqs", "scheduler", "oidc", "fetch")
	// below are the packages that the domain stands on: coded errors, and templates, which are data.
	below = append(internal("fault"), module+"/templates")
	edge  = internal("web/edge")
	app   = internal("app")
	infra = []string{module + "/infra"}
	mains = []string{module + "/functions"}
)

// The libraries that have their place.
var (
	sdk       = []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}
	amazon    = []string{"github.com/aws", "github.com/awslabs"}
	events    = []string{"github.com/aws/aws-lambda-go/events"}
	dynamoSDK = []string{"github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/feature/dynamodb"}
	bbolt     = []string{"go.etcd.io/bbolt"}
	// localOnly is what no function needs: the local stack, its engine, and libraries that are large or for development.
	localOnly = slices.Concat(infra, internal("bolt", "house"), bbolt, []string{
		"github.com/awslabs/goformation", "github.com/oauth2-proxy/mockoidc", "github.com/danielgtaylor/huma", "testing",
	})
)

// functions are the eight Lambda functions.
var functions = []string{"signup", "preferences", "content", "editor", "compose", "dispatch", "deliver", "feedback"}

// badNames are package names that say nothing.
var badNames = []string{"types", "utils", "util", "handlers", "models", "common", "helpers", "base", "misc"}

// Imports lists what in the graph breaks the rules that can be read off imports, each with the way it came about.
func Imports(g Graph) []string {
	var broken []string
	for _, p := range g.own() {
		for _, rule := range []func(Graph, string) []string{pureDomain, amazonAtTheEdge, honestNames, nothingLocal, storageBehindItsPort} {
			broken = append(broken, rule(g, p)...)
		}
	}
	return broken
}

// pureDomain is rule 1.
func pureDomain(g Graph, p string) []string {
	if !under(p, domain...) {
		return nil
	}
	var broken []string
	if way := g.chain(p, func(q string) bool { return under(q, amazon...) || q == "net/http" }); way != nil {
		broken = append(broken, "rule 1: the domain stays pure: "+strings.Join(way, " → "))
	}
	for _, q := range g[p].Imports {
		if under(q, module) && !under(q, domain...) && !under(q, below...) {
			broken = append(broken, fmt.Sprintf("rule 1: the domain imports downwards only: %s → %s", p, q))
		}
	}
	return broken
}

// amazonAtTheEdge is rule 2.
func amazonAtTheEdge(g Graph, p string) []string {
	var broken []string
	for _, q := range g[p].Imports {
		switch {
		case under(q, sdk...) && !under(p, slices.Concat(adapters, app, infra)...):
			broken = append(broken, fmt.Sprintf("rule 2: the SDK is for adapters and internal/app: %s → %s", p, q))
		case under(q, events...) && !under(p, slices.Concat(edge, mains, infra)...):
			broken = append(broken, fmt.Sprintf("rule 2: Lambda's events end at internal/web/edge: %s → %s", p, q))
		}
	}
	if under(p, adapters...) {
		other := func(q string) bool { return under(q, adapters...) && !under(q, p) && !under(p, q) }
		if way := g.chain(p, other); way != nil {
			broken = append(broken, "rule 2: adapters never import each other: "+strings.Join(way, " → "))
		}
	}
	return broken
}

// honestNames is what of rule 3 shows in names.
func honestNames(g Graph, p string) []string {
	if slices.Contains(badNames, path.Base(p)) || slices.Contains(badNames, g[p].Name) {
		return []string{fmt.Sprintf("rule 3: a package is named by what it is about: %s", p)}
	}
	return nil
}

// nothingLocal is rule 4.
func nothingLocal(g Graph, p string) []string {
	if !under(p, mains...) {
		return nil
	}
	if way := g.chain(p, func(q string) bool { return under(q, localOnly...) }); way != nil {
		return []string{"rule 4: functions hold nothing local: " + strings.Join(way, " → ")}
	}
	return nil
}

// storageBehindItsPort is rule 5: only the engines know what they run on, and the stores know no engine.
func storageBehindItsPort(g Graph, p string) []string {
	var broken []string
	for _, q := range g[p].Imports {
		switch {
		case under(q, dynamoSDK...) && !under(p, slices.Concat(internal("dynamo"), app, infra)...),
			under(q, bbolt...) && !under(p, internal("bolt")...):
			broken = append(broken, fmt.Sprintf("rule 5: everything kept goes through internal/table: %s → %s", p, q))
		}
	}
	if under(p, internal("store", "table")...) {
		if way := g.chain(p, func(q string) bool { return under(q, adapters...) || under(q, amazon...) }); way != nil {
			broken = append(broken, "rule 5: stores know no engine: "+strings.Join(way, " → "))
		}
	}
	return broken
}
