package proxy

import "runtime/debug"

// Version returns the module version this program was built from, with the
// commit where the build tool knows it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	text := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && text == "(devel)" {
			text += " " + setting.Value
		}
	}
	return text + " " + info.GoVersion
}
