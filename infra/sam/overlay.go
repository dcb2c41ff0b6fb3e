package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// overlay writes two files beside a template that sam build made: local.yaml, which declares the endpoints for every function, and
// local.json, with which SAM replaces what it can't know (names of queues, for example) by what the local stack has.
func overlay(ctx context.Context, template, environ string, endpoints map[string]string) error {
	src, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	derived, err := declare(src, endpoints)
	if err != nil {
		return fmt.Errorf("%s: %w", template, err)
	}
	values, err := fetch(ctx, environ)
	if err != nil {
		return fmt.Errorf("variables of the local stack: %w", err)
	}
	variables, err := json.MarshalIndent(map[string]any{"Parameters": values}, "", "  ") // SAM: the values of all functions
	if err != nil {
		return err
	}
	dir := filepath.Dir(template)
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "local.yaml"), derived, 0o600),
		os.WriteFile(filepath.Join(dir, "local.json"), append(variables, '\n'), 0o600))
}

// globals is the head of the variables of all functions, as sam build writes it. Only this much is looked at, and a template
// without it is an error, so that nothing else of the template is read or written anew.
var globals = regexp.MustCompile(`(?m)^Globals:\n(?:[ #].*\n|\n)*?    Environment:\n      Variables:\n`)

// declare adds the endpoints of services, by the SDK's names of them, to the variables of all functions.
func declare(src []byte, endpoints map[string]string) ([]byte, error) {
	at := globals.FindAllIndex(src, 2)
	if len(at) != 1 {
		return nil, errors.New("Globals.Function.Environment.Variables is not where it was looked for")
	}
	var add bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(endpoints)) {
		fmt.Fprintf(&add, "        AWS_ENDPOINT_URL_%s: %q\n", name, endpoints[name])
	}
	return slices.Concat(src[:at[0][1]], add.Bytes(), src[at[0][1]:]), nil
}

// fetch gets an object of strings.
func fetch(ctx context.Context, url string) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	var values map[string]string
	if err := json.NewDecoder(res.Body).Decode(&values); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%s has none", url)
	}
	return values, nil
}
