package latchkey_test

import (
	"context"
	"reflect"
	"regexp"
	"strings"
	"testing"

	latchkey "latchkey/sdk/go"
)

// operations says which operation of the API each method calls. Iterators are
// not here: they call the method of one page.
var operations = map[string]string{
	"Link.Init":     "POST /v2/link/init",
	"Link.Confirm":  "POST /v2/link/confirm",
	"Link.Status":   "GET /v2/link/{clientSecret}",
	"Link.Session":  "GET /v2/link/sessions/{id}",
	"Link.Sessions": "GET /v2/link/sessions",
	"Link.Submit":   "POST /v2/link/{clientSecret}/submit",
	"Link.Delete":   "DELETE /v2/link/{clientSecret}",

	"Account.Whoami":         "GET /v2/account/whoami",
	"Account.Settings":       "GET /v2/account/settings",
	"Account.UpdateSettings": "PATCH /v2/account/settings",

	"Connections.List":           "GET /v2/account/connections",
	"Connections.Get":            "GET /v2/account/connections/{id}",
	"Connections.Import":         "POST /v2/account/connections/import",
	"Connections.Reimport":       "PATCH /v2/account/connections/import/{id}",
	"Connections.Invalidate":     "POST /v2/account/connections/{id}/invalidate",
	"Connections.Disconnect":     "DELETE /v2/account/connections/{id}",
	"Connections.Settings":       "GET /v2/account/connections/{id}/settings",
	"Connections.UpdateSettings": "PATCH /v2/account/connections/{id}/settings",

	"ClientApps.List":   "GET /v2/client-apps",
	"ClientApps.Get":    "GET /v2/client-apps/{id}",
	"ClientApps.Create": "POST /v2/client-apps",
	"ClientApps.Update": "PATCH /v2/client-apps/{id}",
	"ClientApps.Delete": "DELETE /v2/client-apps/{id}",

	"APIKeys.List":   "GET /v2/api-keys",
	"APIKeys.Get":    "GET /v2/api-keys/{id}",
	"APIKeys.Create": "POST /v2/api-keys",
	"APIKeys.Update": "PATCH /v2/api-keys/{id}",
	"APIKeys.Delete": "DELETE /v2/api-keys/{id}",

	"WebhookEndpoints.List":         "GET /v2/webhook-endpoints",
	"WebhookEndpoints.Get":          "GET /v2/webhook-endpoints/{id}",
	"WebhookEndpoints.Create":       "POST /v2/webhook-endpoints",
	"WebhookEndpoints.Update":       "PATCH /v2/webhook-endpoints/{id}",
	"WebhookEndpoints.Delete":       "DELETE /v2/webhook-endpoints/{id}",
	"WebhookEndpoints.RotateSecret": "POST /v2/webhook-endpoints/{id}/rotate-secret",
	"WebhookEndpoints.Deliveries":   "GET /v2/webhook-endpoints/{id}/deliveries",
	"WebhookEndpoints.Replay":       "POST /v2/webhook-endpoints/{id}/replay",

	"Events.List": "GET /v2/events",
	"Audit.List":  "GET /v2/audit",
	"Access.Self": "GET /v2/access/self",
	"Access.Do":   "GET /v2/access/proxy/{path}", // and with every other method
}

// argument is what every method is called with in place of an id or a secret.
const argument = "id_1"

// methods calls visit with every method of every service.
func methods(client *latchkey.Client, visit func(name string, method reflect.Value)) {
	services := reflect.ValueOf(client).Elem()
	for i := range services.NumField() {
		field := services.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		service := services.Field(i)
		for j := range service.NumMethod() {
			visit(field.Name+"."+service.Type().Method(j).Name, service.Method(j))
		}
	}
}

// isIterator reports whether a method returns a sequence.
func isIterator(method reflect.Value) bool { return method.Type().Out(0).Kind() == reflect.Func }

// perform calls a method with the argument for every text, and zero values.
func perform(ctx context.Context, method reflect.Value) error {
	arguments := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		switch kind := method.Type().In(i); {
		case method.Type().IsVariadic() && i == method.Type().NumIn()-1:
		case kind.Kind() == reflect.String:
			arguments = append(arguments, reflect.ValueOf(argument))
		case kind == reflect.TypeFor[latchkey.ProxyRequest]():
			arguments = append(arguments, reflect.ValueOf(latchkey.ProxyRequest{Path: argument}))
		default:
			arguments = append(arguments, reflect.Zero(kind))
		}
	}
	results := method.Call(arguments)
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

func TestEveryMethodCallsItsOperation(t *testing.T) {
	wildcard := regexp.MustCompile(`\{[a-zA-Z]+\}`)
	called := map[string]bool{}
	server := serve(t)
	methods(server.client(t, nil), func(name string, method reflect.Value) {
		if isIterator(method) {
			return
		}
		operation, ok := operations[name]
		if !ok {
			t.Errorf("it is not said what %s calls", name)
			return
		}
		called[name] = true
		if err := perform(t.Context(), method); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		requests, _ := server.came()
		got := requests[len(requests)-1]
		if want := wildcard.ReplaceAllString(operation, argument); got.Method+" "+got.URL.Path != want {
			t.Errorf("%s called %s %s, want %s", name, got.Method, got.URL.Path, want)
		}
		if strings.Contains(operation, "/v2/access/") != (got.Header.Get("x-connection-id") == argument) {
			t.Errorf("%s: x-connection-id is %q", name, got.Header.Get("x-connection-id"))
		}
		if body := got.Header.Get("Content-Type"); body != "" && body != "application/json" {
			t.Errorf("%s: content type %q", name, body)
		}
	})
	for name := range operations {
		if !called[name] {
			t.Errorf("there is no method %s", name)
		}
	}
}
