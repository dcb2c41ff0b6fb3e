package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/internal/delivery"
)

// TestReportOfADigest reads a ledger of one batch through the API.
func TestReportOfADigest(t *testing.T) {
	t.Parallel()
	s := newEditorSite(t)
	id := s.as(t, "ed", "POST", "/editor/api/digests", `{"title":"November"}`, 201)["id"].(string)
	empty := s.as(t, "pub", "GET", "/editor/api/digests/"+id+"/report", "", 200)
	if items := empty["items"].([]any); len(items) != 0 || empty["next"] != "" || empty["totals"].(map[string]any)["audience"] != 0.0 {
		t.Errorf("a draft's report: %v", empty)
	}
	ref := delivery.ShardRef{Digest: id, Shard: 0}
	ops := s.Ledger.PlanOps([]delivery.Shard{{Ref: ref, To: 64, Start: time.Now()}})
	if _, err := s.Ledger.Table.Write(t.Context(), ops...); err != nil {
		t.Fatal(err)
	}
	shard, err := s.Ledger.Lease(t.Context(), ref, "worker", s.Ledger.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 3)
	for i := range ids {
		ids[i] = fmt.Sprintf("%026d", i)
	}
	_, batch, err := s.Ledger.Claim(t.Context(), shard, ids)
	if err != nil {
		t.Fatal(err)
	}
	marks := delivery.Marks{delivery.MarkUnknown: {1}, "a1": {0}, "skip-left": {2}}
	if err := s.Ledger.Mark(t.Context(), batch.Ref, marks, true); err != nil {
		t.Fatal(err)
	}
	first := s.as(t, "pub", "GET", "/editor/api/digests/"+id+"/report?limit=2", "", 200)
	rest := s.as(t, "pub", "GET", "/editor/api/digests/"+id+"/report?limit=2&cursor="+first["next"].(string), "", 200)
	got := fmt.Sprint(append(first["items"].([]any), rest["items"].([]any)...))
	want := "[map[outcome:accepted reason: subscriber:" + ids[0] + "] map[outcome:failed reason:unknown subscriber:" + ids[1] +
		"] map[outcome:skipped reason:left subscriber:" + ids[2] + "]]"
	if got != want || rest["next"] != "" {
		t.Errorf("report %s, want %s", got, want)
	}
	failed := s.as(t, "pub", "GET", "/editor/api/digests/"+id+"/report?outcome=failed", "", 200)
	if items := failed["items"].([]any); len(items) != 1 || !strings.Contains(fmt.Sprint(items), ids[1]) {
		t.Errorf("failed: %v", failed)
	}
	for _, query := range []string{"?limit=1001", "?limit=0", "?outcome=all", "?cursor=x"} {
		s.as(t, "pub", "GET", "/editor/api/digests/"+id+"/report"+query, "", 400)
	}
	s.as(t, "pub", "GET", "/editor/api/digests/none/report", "", 404)
	s.as(t, "ed", "GET", "/editor/api/digests/"+id+"/report", "", 403)
}
