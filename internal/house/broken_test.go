package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// graph makes a graph of lines "package: import import …"; whatever is imported and has no line of its own is a leaf.
func graph(lines ...string) Graph {
	g := Graph{}
	for _, line := range lines {
		path, imports, _ := strings.Cut(line, ":")
		p := Package{ImportPath: path, Name: filepath.Base(path), Imports: strings.Fields(imports)}
		g[path] = p
		for _, q := range p.Imports {
			if _, ok := g[q]; !ok {
				g[q] = Package{ImportPath: q, Name: filepath.Base(q)}
			}
		}
	}
	return g
}

// TestImportsFindsWhatIsBroken shows each rule a graph that breaks it, and one beside it that does not.
func TestImportsFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		graph Graph
		want  string // "" for a sound graph
	}{
		"domain imports the SDK": {graph("tidings/internal/mail: github.com/aws/aws-sdk-go-v2/aws"),
			"rule 1: the domain stays pure: tidings/internal/mail → github.com/aws/aws-sdk-go-v2/aws"},
		"domain imports events": {graph("tidings/internal/audience: github.com/aws/aws-lambda-go/events"), "rule 1: the domain stays pure"},
		"domain pulls in net/http": {graph("tidings/internal/article: example.org/feeds", "example.org/feeds: example.org/get", "example.org/get: net/http"),
			"rule 1: the domain stays pure: tidings/internal/article → example.org/feeds → example.org/get → net/http"},
		"a package below the domain's": {graph("tidings/internal/lint/links: net/http"), "rule 1: the domain stays pure"},
		"domain imports a store":       {graph("tidings/internal/digest: tidings/internal/store"), "rule 1: the domain imports downwards only"},
		"domain imports an adapter":    {graph("tidings/internal/article: tidings/internal/fetch"), "rule 1: the domain imports downwards only"},
		"domain imports the domain":    {graph("tidings/internal/delivery: tidings/internal/digest tidings/internal/fault errors net/mail"), ""},
		"store imports the SDK":        {graph("tidings/internal/web: github.com/aws/smithy-go"), "rule 2: the SDK is for adapters"},
		"adapter imports the SDK":      {graph("tidings/internal/ses: github.com/aws/aws-sdk-go-v2/service/sesv2 tidings/internal/delivery"), ""},
		"web imports events":           {graph("tidings/internal/web: github.com/aws/aws-lambda-go/events"), "rule 2: Lambda's events end"},
		"the edge imports events":      {graph("tidings/internal/web/edge: github.com/aws/aws-lambda-go/events"), ""},
		"adapters import each other":   {graph("tidings/internal/ses: tidings/internal/sqs"), "rule 2: adapters never import each other"},
		"adapters by a detour": {graph("tidings/internal/fetch: tidings/internal/web", "tidings/internal/web: tidings/internal/oidc"),
			"rule 2: adapters never import each other: tidings/internal/fetch → tidings/internal/web → tidings/internal/oidc"},
		"a package named utils":  {graph("tidings/internal/web/utils:"), "rule 3"},
		"a function with bbolt":  {graph("tidings/functions/signup: tidings/internal/app", "tidings/internal/app: tidings/internal/bolt"), "rule 4: functions hold nothing local"},
		"a function with infra":  {graph("tidings/functions/deliver: tidings/infra/local"), "rule 4: functions hold nothing local"},
		"goformation in app":     {graph("tidings/functions/editor: tidings/internal/app", "tidings/internal/app: github.com/awslabs/goformation/v7"), "rule 4: functions hold nothing local"},
		"infra with bolt":        {graph("tidings/infra/local: tidings/internal/bolt github.com/awslabs/goformation/v7 net/http"), ""},
		"sessions on dynamodb":   {graph("tidings/internal/oidc: github.com/aws/aws-sdk-go-v2/service/dynamodb"), "rule 5: everything kept goes through internal/table"},
		"bbolt outside its room": {graph("tidings/infra/local: go.etcd.io/bbolt"), "rule 5: everything kept goes through internal/table"},
		"a store on an engine":   {graph("tidings/internal/store: tidings/internal/dynamo"), "rule 5: stores know no engine"},
		"a store over the port":  {graph("tidings/internal/store: tidings/internal/table tidings/internal/audience"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := Imports(tt.graph)
			switch {
			case tt.want == "" && len(broken) > 0:
				t.Errorf("a sound graph is called broken: %q", broken)
			case tt.want != "" && !strings.Contains(strings.Join(broken, "\n"), tt.want):
				t.Errorf("got %q, want %q", broken, tt.want)
			}
		})
	}
}

// TestImpurities shows rule 6 files that ask the clock or chance, by whatever name.
func TestImpurities(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]int{
		`import "time"; var x = time.Now()`:                                                                 1,
		`import "time"; var now = time.Now`:                                                                 1,
		`import clock "time"; func f() { clock.Sleep(clock.Second) }`:                                       1,
		`import "time"; func f(t time.Time) bool { return time.Since(t) > 0 }`:                              1,
		`import "crypto/rand"; var r = rand.Reader`:                                                         1,
		`import "math/rand/v2"; var n = rand.N(3) + rand.N(4)`:                                              2,
		`import "github.com/oklog/ulid/v2"; var id = ulid.Make()`:                                           1,
		`import "time"; func f(now func() time.Time) time.Time { return now() }`:                            0,
		`import "time"; type c struct{}; func (c) Now() time.Time { return time.Unix(0, 0) }`:               0,
		`import "github.com/oklog/ulid/v2"; func f(s string) error { _, err := ulid.Parse(s); return err }`: 0,
	} {
		got, err := impurities("f.go", []byte("package p; "+src), false)
		if err != nil || len(got) != want {
			t.Errorf("%s: got %q, %v; want %d", src, got, err, want)
		}
	}
}

// TestAdaptersMayWait allows an adapter to hold back, but not to read the clock.
func TestAdaptersMayWait(t *testing.T) {
	t.Parallel()
	src := []byte(`package p; import "time"; var t, n = time.NewTimer(time.Second), time.Now`)
	got, err := impurities("f.go", src, true)
	if err != nil || len(got) != 1 || !strings.HasSuffix(got[0], "time.Now") {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestMains shows the functions' rule a set with one missing, one that is too long, one that wires for itself and one unknown.
func TestMains(t *testing.T) {
	t.Parallel()
	g := Graph{}
	for _, name := range functions[1:] {
		dir, lines := t.TempDir(), 6
		if name == "deliver" {
			lines = mainLines + 1
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.Repeat("\n", lines)), 0o600); err != nil {
			t.Fatal(err)
		}
		path := "tidings/functions/" + name
		g[path] = Package{ImportPath: path, Name: "main", Dir: dir, GoFiles: []string{"main.go"}, Imports: app}
	}
	own := g["tidings/functions/editor"]
	own.Imports = []string{"net/http", "tidings/internal/app"}
	g["tidings/functions/editor"] = own
	g["tidings/functions/reports"] = Package{ImportPath: "tidings/functions/reports", Name: "main"}
	broken, err := Mains(g)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(broken, "\n")
	for _, want := range []string{"no function signup", "deliver has 41 lines", "editor is more than", "unknown function reports"} {
		if !strings.Contains(all, want) {
			t.Errorf("not found: %q in %q", want, broken)
		}
	}
	if len(broken) != 4 {
		t.Errorf("found %d, want 4: %q", len(broken), broken)
	}
}

// TestReadGraph reads what go list prints, and refuses what it does not.
func TestReadGraph(t *testing.T) {
	t.Parallel()
	g, err := ReadGraph(strings.NewReader(`{"ImportPath":"a","Imports":["b"]}` + "\n" + `{"ImportPath":"b"}`))
	if err != nil || len(g) != 2 || g["a"].Imports[0] != "b" {
		t.Errorf("got %v, %v", g, err)
	}
	if _, err := ReadGraph(strings.NewReader(`{"ImportPath":`)); err == nil {
		t.Error("half an answer was accepted")
	}
}
