// Package version says which Geargate this is. Every program of the project
// prints it, and packaging/release reads Number from this file.
package version

import "runtime/debug"

// Number is the version of the next release, or of this one where the commit
// has a tag.
const Number = "0.1.0"

// String returns Number, the commit where the build tool knows it, and the
// version of Go, with spaces between them.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Number
	}
	text := Number
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			text += " " + setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			text += " with changes"
		}
	}
	return text + " " + info.GoVersion
}
