package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"tidings/internal/fault"
)

// A Role is what an editor may do. It is a group of the identity provider's.
type Role string

// The roles. A publisher may do all that an editor may.
const (
	RoleEditor    Role = "editor"    // articles, drafts, previews, tests
	RolePublisher Role = "publisher" // also what reaches subscribers, and who they are: schedule, cancel, look up, erase
)

// publisherRoutes are the routes for which one must be a publisher; for all others under editorAPI an editor will do.
var publisherRoutes = []string{
	"POST /editor/api/digests/{id}/schedule",
	"POST /editor/api/digests/{id}/pause",
	"POST /editor/api/digests/{id}/resume",
	"POST /editor/api/digests/{id}/cancel",
	"POST /editor/api/subscribers/search",
	"POST /editor/api/subscribers/{id}/unsubscribe",
	"POST /editor/api/subscribers/{id}/erase",
	"GET /editor/api/digests/{id}/report",
}

// editorAPI is the path below which a bearer token is needed.
const editorAPI = "/editor/api/"

// A TokenVerifier verifies bearer tokens. Package oidc's is the one in use.
type TokenVerifier interface {
	// Verify returns whom a token is of, and the groups that it names. Faults: Unauthenticated when it is not valid, Unavailable
	// (with the cause in its chain) when that can't be told.
	Verify(ctx context.Context, token string) (subject string, groups []string, err error)
}

// Auth lets editors to the routes of their API: 401 without a valid token, 403 for a route that needs another role, and only then
// what the API answers, 404 for an unknown route included. Errors are problem documents, whatever Accept says, since only
// programs come here. A bearer token is never sent by a browser of its own accord, so that no other site can use it.
type Auth struct {
	*Responder
	Verifier TokenVerifier
	API      *http.ServeMux // the routes below /editor/api/
}

// Register adds the API's routes.
func (h Auth) Register(mux *http.ServeMux) { mux.Handle(editorAPI, h) }

// ServeHTTP implements http.Handler.
func (h Auth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Accept", "application/json")
	subject, roles, err := h.roles(r)
	if err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			w.Header().Set("WWW-Authenticate", challenge(r))
		}
		if fault.Is(err, fault.Unavailable) { // a fault is not logged where it is answered, and this one should be looked into
			h.Log.ErrorContext(r.Context(), "token not checked", "error", err)
		}
		h.Error(w, r, err)
		return
	}
	_, pattern := h.API.Handler(r)
	needed := RoleEditor
	if slices.Contains(publisherRoutes, pattern) {
		needed = RolePublisher
	}
	if !slices.Contains(roles, needed) {
		h.Error(w, r, fault.New(fault.Forbidden, "This needs the role %s, which your sign-in does not have.", needed))
		return
	}
	h.route(w, r.WithContext(context.WithValue(r.Context(), editorKey{}, subject)), h.API)
}

// editorKey is the context key of the editor's subject.
type editorKey struct{}

// EditorOf returns the subject of the editor who sends a request, an ID of the identity provider's.
func EditorOf(ctx context.Context) string {
	subject, _ := ctx.Value(editorKey{}).(string)
	return subject
}

// roles returns who sends a request, and in which roles.
func (h Auth) roles(r *http.Request) (subject string, roles []Role, err error) {
	token, ok := bearer(r)
	if !ok {
		return "", nil, fault.New(fault.Unauthenticated, "Send the token of your sign-in as Authorization: Bearer.")
	}
	subject, groups, err := h.Verifier.Verify(r.Context(), token)
	if err != nil {
		return "", nil, err
	}
	switch {
	case slices.Contains(groups, string(RolePublisher)):
		return subject, []Role{RoleEditor, RolePublisher}, nil
	case slices.Contains(groups, string(RoleEditor)):
		return subject, []Role{RoleEditor}, nil
	}
	return subject, nil, nil
}

// bearer returns the token of the header Authorization; the scheme's case does not matter (RFC 9110 §11.1).
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	return token, true
}

// challenge is what a 401 asks for. A token that was refused is named as the reason, one that is missing is not (RFC 6750 §3).
func challenge(r *http.Request) string {
	if _, ok := bearer(r); ok {
		return `Bearer realm="tidings", error="invalid_token"`
	}
	return `Bearer realm="tidings"`
}
