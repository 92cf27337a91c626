package influx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Bounds of what is kept of a server's text, in bytes.
const (
	maxReason = 500
	maxLoose  = 16 * maxReason // before its spaces are taken together
)

// quote is a text of a server or a library in one line. The token is taken out first: of a cut one a part would stay.
func (t Target) quote(text string) string {
	text = t.hide(text)
	if len(text) > maxLoose {
		text = text[:maxLoose]
	}
	return brief(strings.Join(strings.Fields(text), " "))
}

// saying is an answer in a line: its code, and what the server says of it in its own words, if it does.
func (t Target) saying(code int, words string) string {
	name := http.StatusText(code)
	line := strings.TrimSpace(fmt.Sprintf("%d %s", code, name))
	words = strings.TrimPrefix(t.quote(words), fmt.Sprintf("%d ", code))
	if words == "" || strings.EqualFold(words, name) {
		return line
	}
	return line + ": " + words
}

// wordsOf is what a server says of an error, in JSON (1.8, 3: error; 2: message), in a header (1.8) or as a text.
func wordsOf(h http.Header, body []byte) string {
	var a struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return cmp.Or(h.Get(errorHeader), string(body))
	}
	return cmp.Or(a.Error, a.Message, h.Get(errorHeader), string(body))
}

// errorHeader holds what 1.8 says of an error. The client shows it where it finds no words that it knows.
const errorHeader = "X-Influxdb-Error"

// hide takes the token, and its parts, out of a text that a server or a library wrote, also where they are quoted for JSON or a URL.
func (t Target) hide(text string) string {
	token := string(t.Token)
	if token == "" {
		return text
	}
	secrets := forms(token)
	if _, password, ok := strings.Cut(token, ":"); ok && len(password) > 2 {
		secrets = append(secrets, forms(password)...)
	}
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "[secret]")
	}
	return text
}

func forms(secret string) []string {
	list := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	if quoted, err := json.Marshal(secret); err == nil {
		list = append(list, string(quoted[1:len(quoted)-1]))
	}
	quoted := fmt.Sprintf("%q", secret)
	return append(list, quoted[1:len(quoted)-1])
}

func brief(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason], "") + "…"
}
