package quantity_test

import (
	"encoding/json"
	"testing"
	"virtscope/analysis/quantity"
	"virtscope/results"
)

func TestJSONHasNoNumberForWhatIsNotKnown(t *testing.T) {
	type named struct {
		Name string `json:"name"`
		quantity.Quantity
	}
	v := struct {
		Z     []quantity.Quantity          `json:"z"`
		A     named                        `json:"a"`
		M     map[string]quantity.Quantity `json:"<m>"`
		Value int                          `json:"value"`
		None  *quantity.Quantity           `json:"none"`
		Empty []int                        `json:"empty"`
	}{
		Z:     []quantity.Quantity{quantity.Unknown(results.Bytes, "nobody saw it"), quantity.AtLeast(3, results.Bytes, "it goes on"), quantity.Within(2, 1, 3, results.Bytes)},
		A:     named{"x", quantity.Quantity{Value: 424242, Low: 1, High: 2, Unit: "s", Why: "lost"}},
		M:     map[string]quantity.Quantity{"k": quantity.Unknown(results.One, `a "why"`)},
		Empty: []int{},
	}
	got, err := quantity.JSON(v, "")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
"z": [
{
"unit": "B",
"known": false,
"why": "nobody saw it"
},
{
"value": 3,
"low": 3,
"unit": "B",
"known": true,
"censored": true,
"why": "it goes on"
},
{
"value": 2,
"low": 1,
"high": 3,
"unit": "B",
"known": true
}
],
"a": {
"name": "x",
"unit": "s",
"known": false,
"why": "lost"
},
"\u003cm\u003e": {
"k": {
"unit": "1",
"known": false,
"why": "a \"why\""
}
},
"value": 0,
"none": null,
"empty": []
}
`
	if string(got) != want || !json.Valid(got) {
		t.Errorf("got %s", got)
	}
}
