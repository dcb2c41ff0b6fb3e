package doors

import (
	"context"
	"net/http"
)

// A wanted is the input of Systems Manager's GetParameter.
type wanted struct {
	Name           string
	WithDecryption bool
}

// getParameter returns a SecureString, decrypted.
func (s *Server) getParameter(_ context.Context, in wanted) (any, *apiError) {
	value, ok := s.Parameters[in.Name]
	switch {
	case !ok:
		return nil, &apiError{status: http.StatusBadRequest, code: "ParameterNotFound", message: "There is no such parameter."}
	case !in.WithDecryption:
		return nil, invalid("The local stack has no ciphertext to give: ask WithDecryption.")
	}
	return map[string]any{"Parameter": map[string]any{
		"Name": in.Name, "Type": "SecureString", "Value": string(value), "Version": 1, "DataType": "text",
		"ARN": "arn:aws:ssm:us-east-1:000000000000:parameter" + in.Name, "LastModifiedDate": s.Now().Unix(),
	}}, nil
}
