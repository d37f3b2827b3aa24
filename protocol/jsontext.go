package protocol

import (
	"encoding/json"
	"unicode/utf8"
)

// A Text is a name of any bytes. In JSON it is a string where it is UTF-8, and
// otherwise an object with its bytes in base64.
type Text string

type rawText struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON writes t as it is read.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(rawText{[]byte(t)})
}

// UnmarshalJSON reads either form.
func (t *Text) UnmarshalJSON(text []byte) error {
	var raw rawText
	if json.Unmarshal(text, &raw) == nil && raw.Base64 != nil {
		*t = Text(raw.Base64)
		return nil
	}
	return json.Unmarshal(text, (*string)(t))
}
