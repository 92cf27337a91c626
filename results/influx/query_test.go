package influx

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// goodAnswer is one of a server, in two pieces.
const goodAnswer = `{"results":[{"statement_id":0,"series":[{"name":"echo.rtt","tags":{"host":"c","guest":"","kind":"%41"},"columns":["time","attempt","trial","value_seconds","attr_seq_number","attr_seq","attr_text","event"],"values":[[1795765122014357887,1,2,-0,7,null,"x",null],[5,1,2,5e-324,null,"007",null,true]],"partial":true}],"partial":true}]}
{"results":[{"statement_id":0,"series":[{"name":"echo.rtt","tags":{"host":"c"},"columns":["time","attempt","trial","value_seconds"],"values":[[6,1,2,1.5]]}]}]}
`

func decodeAnswer(text string) (list []Decoded, err error) {
	err = readAnswer(strings.NewReader(text), func(s *answerSeries) error {
		d := NewDecoder(s.Name, s.Tags)
		for _, values := range s.Values {
			p, err := s.row(values)
			if err != nil {
				return err
			}
			one, err := d.Decode(p.time, p.fields)
			if err != nil {
				return err
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

func TestReadAnswer(t *testing.T) {
	list, err := decodeAnswer(goodAnswer)
	fatal(t, err)
	if len(list) != 3 {
		t.Fatalf("%d records", len(list))
	}
	a, b := list[0], list[1]
	if a.Time != 1795765122014357887 || a.Trial != 2 || a.Attempt != 1 || !math.Signbit(a.Value) || a.Value != 0 || a.Unit != "s" || a.Host != "c" {
		t.Errorf("%+v", a)
	}
	if len(a.Attrs) != 3 || a.Attrs["seq"] != "7" || a.Attrs["text"] != "x" || a.Attrs["kind"] != "A" {
		t.Errorf("attributes %v", a.Attrs)
	}
	if b.Value != 5e-324 || b.Attrs["seq"] != "007" {
		t.Errorf("%+v", b)
	}
}

func TestReadAnswerRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"database not found":    `{"results":[{"statement_id":0,"error":"database not found: x"}]}`,
		"no rights":             `{"error":"no rights"}`,
		"a row of 1 values":     `{"results":[{"series":[{"name":"x","columns":["time","trial"],"values":[[1]]}]}]}`,
		"its time is":           `{"results":[{"series":[{"name":"x","columns":["time"],"values":[["now"]]}]}]}`,
		"not of this schema":    `{"results":[{"series":[{"name":"x","columns":["time","value_number","other"],"values":[[1,2,"x"]]}]}]}`,
		"the point has no":      `{"results":[{"series":[{"name":"x","columns":["time","trial"],"values":[[1,2]]}]}]}`,
		"part 1 of a text":      `{"results":[{"series":[{"name":"x","columns":["time","event","attr_text%p2"],"values":[[1,true,"x"]]}]}]}`,
		"unexpected EOF":        goodAnswer[:200],
		"invalid character '<'": "<html>",
		"is a map":              `{"results":[{"series":[{"name":"x","columns":["time","event"],"values":[[1,{}]]}]}]}`,
	} {
		if _, err := decodeAnswer(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAskSaysWhatIsWrong(t *testing.T) {
	var token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "who are you"})
	}))
	defer server.Close()
	_, err := (&Reader{URL: server.URL + "/", Bucket: "b", Token: "u:p"}).Find(t.Context(), "run")
	if err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "who are you") || strings.Contains(err.Error(), "u:p") {
		t.Errorf("%v", err)
	}
	if token != "Token u:p" {
		t.Errorf("it was asked with %q", token)
	}
}

// A server, or a proxy before it, that says the token again does not bring it into an error.
func TestAskHidesTheToken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "unknown: " + r.Header.Get("Authorization")})
	}))
	defer server.Close()
	r, err := Target{URL: server.URL, Bucket: "b", Token: "open-sesame"}.Reader()
	fatal(t, err)
	if _, err := r.Find(t.Context(), "run"); err == nil || !strings.Contains(err.Error(), "unknown: ") || strings.Contains(err.Error(), "open-sesame") {
		t.Errorf("%v", err)
	}
}

// What a server does not answer is said with what to do about it, and without the token.
func TestAskSaysWhatToDo(t *testing.T) {
	for _, tc := range []struct {
		code       int
		body       string
		token      Secret
		want, todo string
	}{
		{200, `{"results":[{"statement_id":0,"error":"database not found: nope"}]}`, "", "database not found: nope", "name a database that is there, by --database or --bucket"},
		{200, `{"results":[{"statement_id":0,"error":"retention policy not found: week"}]}`, "", "retention policy not found: week", "make retention policy week of database b"},
		{200, `{"error":"it burns, sesame"}`, "sesame", "it burns, [secret]", ""},
		{401, `{"error":"authorization failed"}`, "", "401 Unauthorized: authorization failed", "set INFLUX_TOKEN, or INFLUX_USER"},
		{401, `{"error":"authorization failed"}`, "me:sesame", "401 Unauthorized: authorization failed", "it does not know the token, or user and password"},
		{403, `{"error":"not authorized to execute statement 'SHOW', requires READ on b"}`, "", "403 Forbidden: not authorized", "read access to b/week"},
		{404, `{"code":"not found","message":"no dbrp mapping found"}`, "", "404 Not Found: no dbrp mapping found", "dbrp create"},
		{302, "", "", "302 Found", "sends us elsewhere"},
		{418, "a pot", "", "418 I'm a teapot: a pot", "look at what answers"},
		{503, "soon", "", "503 Service Unavailable: soon", "try again later"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.code)
			_, _ = w.Write([]byte(tc.body))
		}))
		r, err := Target{URL: server.URL, Bucket: "b/week", Token: tc.token}.Reader()
		fatal(t, err)
		_, err = r.Runs(t.Context())
		if want := "InfluxDB at " + server.URL + " answers " + tc.want; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), tc.todo) || tc.todo == "" && err.Error() != want {
			t.Errorf("%v, want %q and %q", err, want, tc.todo)
		}
		server.Close()
	}
	if _, err := (&Reader{URL: "http://127.0.0.1:1", Bucket: "b"}).Runs(t.Context()); err == nil || !strings.Contains(err.Error(), "is InfluxDB running there?") {
		t.Errorf("away: %v", err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(goodAnswer)
	f.Add(`{"results":[{"series":[{"name":"%","tags":null,"columns":["time","value","event","attr_x%p2","attr_x"],"values":[[1,1e300,false,"b","a"]]}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := decodeAnswer(text)
		if err != nil {
			return
		}
		for _, d := range list {
			if _, ok := valueFields[d.Unit]; !ok {
				t.Errorf("a record in %q", d.Unit)
			}
		}
	})
}
