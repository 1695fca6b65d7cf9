package reference

import "strings"

// lineLength is how long a body may be to stand on one line of an example.
const lineLength = 56

// curl writes a call of the operation that can be pasted into a shell which
// has LATCHKEY_URL and LATCHKEY_KEY.
func (d document) curl(method, path string, parameters []*value, operation *value, keyed bool) string {
	var lines []string
	switch method {
	case "GET":
		lines = append(lines, "curl ")
	case "HEAD":
		lines = append(lines, "curl --head ")
	default:
		lines = append(lines, "curl -X "+method+" ")
	}
	for _, parameter := range parameters {
		parameter = d.resolve(parameter)
		name, example := parameter.get("name").str(), d.sample(parameter.get("schema")).str()
		switch {
		case parameter.get("in").str() == "path":
			path = strings.ReplaceAll(path, "{"+name+"}", example)
		case parameter.get("in").str() == "header" && parameter.get("required").flag():
			lines = append(lines, "-H "+quoted(name+": "+example))
		}
	}
	lines[0] += `"$LATCHKEY_URL` + escaped(path) + `"`
	if keyed {
		lines = append(lines[:1], append([]string{`-H "apikey: $LATCHKEY_KEY"`}, lines[1:]...)...)
	}
	content := d.resolve(operation.get("requestBody")).get("content", "application/json")
	if content != nil {
		body := content.get("example")
		if body == nil {
			body = d.sample(content.get("schema"))
		}
		text := compact(body)
		if len(text) > lineLength {
			text = indented(body)
		}
		lines = append(lines, "-H 'Content-Type: application/json'", "-d "+quoted(text))
	}
	return strings.Join(lines, " \\\n  ")
}

// quoted makes one word of a text, for a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// escaped makes a text fit to stand between double quotes in a POSIX shell.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text)
}
