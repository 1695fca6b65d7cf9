package reference

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"go.yaml.in/yaml/v3"
)

// object is a piece of the description as the YAML parser alone has it.
type anyObject = map[string]any

func plainDescription(t *testing.T) anyObject {
	t.Helper()
	var root anyObject
	if err := yaml.Unmarshal(realDescription(t), &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// fieldNames collects the names of all fields below a value, wherever they
// are.
func fieldNames(value any, into map[string]bool) {
	switch value := value.(type) {
	case anyObject:
		for name, below := range value {
			if properties, ok := below.(anyObject); ok && name == "properties" {
				for field, schema := range properties {
					if described, ok := schema.(anyObject); ok && (described["description"] != nil || described["$ref"] != nil) {
						into[field] = true
					}
				}
			}
			fieldNames(below, into)
		}
	case []any:
		for _, item := range value {
			fieldNames(item, into)
		}
	}
}

func TestThePageHasEverythingOfTheDescription(t *testing.T) {
	root, page := plainDescription(t), pageOf(t, realDescription(t))
	operations := 0
	for path, item := range root["paths"].(anyObject) {
		for method, described := range item.(anyObject) {
			operation, ok := described.(anyObject)
			if !ok {
				continue // the parameters of the whole path
			}
			operations++
			article := page.Find("article#" + operation["operationId"].(string))
			if article.Length() != 1 {
				t.Errorf("%s %s is there %d times", method, path, article.Length())
				continue
			}
			checkOperation(t, strings.ToUpper(method), path, operation, article)
		}
	}
	if operations < 50 {
		t.Errorf("only %d operations", operations)
	}
	for event := range root["webhooks"].(anyObject) {
		if !strings.Contains(words(page.Find("#events")), "EVENT "+event) {
			t.Errorf("the event %s is not there", event)
		}
	}
	names := map[string]bool{}
	fieldNames(root, names)
	shown := map[string]bool{}
	page.Find("code.field").Each(func(_ int, field *goquery.Selection) {
		parts := strings.Split(field.Text(), ".")
		shown[parts[len(parts)-1]] = true
	})
	for name := range names {
		if !shown[name] {
			t.Errorf("the field %s is not there", name)
		}
	}
	if len(names) < 100 {
		t.Errorf("only %d fields", len(names))
	}
}

// checkOperation holds one article against one operation.
func checkOperation(t *testing.T, method, path string, operation anyObject, article *goquery.Selection) {
	t.Helper()
	text := words(article)
	wanted := []string{method + " " + path, operation["summary"].(string)}
	if scope, ok := operation["x-latchkey-scope"].(string); ok {
		wanted = append(wanted, "Scope "+scope)
	}
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s %s does not say %q", method, path, want)
		}
	}
	statuses := article.Find(".status").Map(func(_ int, status *goquery.Selection) string { return status.Text() })
	for status := range operation["responses"].(anyObject) {
		if !slices.Contains(statuses, status) {
			t.Errorf("%s %s does not have the status %s", method, path, status)
		}
	}
	example := article.Find(".samples pre").First().Text()
	if !strings.HasPrefix(example, "curl ") || !strings.Contains(example, "$LATCHKEY_URL/") || strings.Contains(example, "{"+"id}") {
		t.Errorf("%s %s has the example %s", method, path, example)
	}
	if keyed := operation["security"] == nil; keyed != strings.Contains(example, `-H "apikey: $LATCHKEY_KEY"`) {
		t.Errorf("%s %s has the example %s", method, path, example)
	}
	if operation["requestBody"] != nil && !strings.Contains(path, "/proxy/") && !strings.Contains(example, "-d '{") {
		t.Errorf("%s %s has an example without a body", method, path)
	}
}

func TestRequestFieldsAreFlattened(t *testing.T) {
	page := pageOf(t, realDescription(t))
	for id, names := range map[string][]string{
		"initLink":        {"geolocation", "geolocation.country", "options.returnRawSession", "metadata", "Idempotency-Key"},
		"createClientApp": {"permissions", "permissions[].name", "permissions[].purpose"},
		"updateSettings":  {"defaults.expiresIn", "vaultPlus.enabled"},
		"listConnections": {"limit", "offset", "imported"},
		"object-Session":  {"data.step.fields[].autocomplete", "data.step.consent.app.logoUrl", "data.twoFactorState.phoneCode.expirationDate"},
	} {
		fields := page.Find("#" + id + " code.field").Map(func(_ int, field *goquery.Selection) string { return field.Text() })
		for _, name := range names {
			if !slices.Contains(fields, name) {
				t.Errorf("%s has no field %s, but %v", id, name, fields)
			}
		}
	}
}

func TestThePageIsWellBuilt(t *testing.T) {
	page := pageOf(t, realDescription(t))
	ids := map[string]int{}
	page.Find("[id]").Each(func(_ int, element *goquery.Selection) { ids[element.AttrOr("id", "")]++ })
	for id, times := range ids {
		if times > 1 || id == "" {
			t.Errorf("the id %q is there %d times", id, times)
		}
	}
	page.Find("a[href^='#'], [aria-labelledby]").Each(func(_ int, element *goquery.Selection) {
		target := strings.TrimPrefix(element.AttrOr("href", element.AttrOr("aria-labelledby", "")), "#")
		if ids[target] == 0 {
			t.Errorf("#%s leads nowhere", target)
		}
	})
	for selector, want := range map[string]int{"h1": 1, "main": 1, "header": 1, "nav": 2, "html[lang=en]": 1, "a.skip[href='#main']": 1, "body > a:first-child.skip": 1} {
		if got := page.Find(selector).Length(); got != want {
			t.Errorf("%s is there %d times, want %d", selector, got, want)
		}
	}
	page.Find("table").Each(func(_ int, table *goquery.Selection) {
		if table.Find("th[scope=col]").Length() != 2 || table.Find("tbody tr").Length() != table.Find("tbody > tr > th[scope=row]").Length() {
			t.Error("a table has no headings")
		}
	})
	level := 0
	page.Find("h1, h2, h3, h4, h5, h6").Each(func(_ int, heading *goquery.Selection) {
		next := int(goquery.NodeName(heading)[1] - '0')
		if next > level+1 {
			t.Errorf("%q is %d levels below the heading before it", heading.Text(), next-level)
		}
		level = next
	})
	page.Find("script, style, iframe, form, object, [style], [onclick], [onload], [onerror]").Each(func(_ int, element *goquery.Selection) {
		t.Errorf("there is a %s", goquery.NodeName(element))
	})
	page.Find("[src], [href]").Each(func(_ int, element *goquery.Selection) {
		address := element.AttrOr("src", element.AttrOr("href", ""))
		if !strings.HasPrefix(address, "#") && (!strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//")) {
			t.Errorf("%q is not of this page or server", address)
		}
	})
}
