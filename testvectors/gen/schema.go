package gen

import "strings"

const draft = "https://json-schema.org/draft/2020-12/schema"

var (
	reasons  = []string{malformed, authentication, replay, state, limit}
	outcomes = []string{accept, ignore, drop, abort}
)

// schema describes the files of vectors. What one operation takes and gives stands in its own definition, which the schema of the
// shim protocol uses too.
func schema() object {
	chapters := []string{}
	for _, g := range groups {
		if len(chapters) == 0 || chapters[len(chapters)-1] != g.chapter {
			chapters = append(chapters, g.chapter)
		}
	}
	text := o("type", "string", "minLength", 1)
	defs := o(
		"id", o("type", "string", "pattern", "^[a-z]+(-[a-z0-9]+)+$"),
		"reason", o("enum", reasons),
		"operation", o("description", "Every operation of spec/shim.md.", "enum", operationNames()),
		"object", o("description", "In, draws, out and the like; the operation says what stands in it.", "type", "object"),
		"secrets", o("description", "What in, draws and steps were made of: bytes is the SHA-256 of label.", "type", "object", "minProperties", 1,
			"additionalProperties", o("type", "object", "required", []string{"label", "bytes"}, "additionalProperties", false, "properties", o(
				"label", o("type", "string", "pattern", "^kith/1 vector [ -~]+$"),
				"bytes", hexOf(32),
			))),
		"vector", vectorSchema(),
		"step", stepSchema(),
	)
	for _, s := range shapes() {
		defs = append(defs, field{s.name, s.describe()})
	}
	for _, op := range operations() {
		defs = append(defs, field{op.name, op.schema()})
	}
	return o(
		"$schema", draft,
		"$id", "urn:kith:testvectors:schema",
		"title", "Kith test vectors, one file",
		"type", "object",
		"required", []string{"$schema", "version", "group", "chapter", "comment", "vectors"},
		"additionalProperties", false,
		"properties", o(
			"$schema", o("const", "schema.json"),
			"version", o("type", "string", "pattern", `^[0-9]+(\.[0-9]+)*(-draft)?$`),
			"group", o("type", "string", "pattern", "^[a-z0-9-]+$"),
			"chapter", o("enum", chapters),
			"comment", text,
			"vectors", o("type", "array", "minItems", 1, "items", ref("vector")),
		),
		"$defs", defs,
	)
}

func hexOf(n int) object { return key{kind: "hex", size: n}.schema() }

func operationNames() (names []string) {
	for _, op := range operations() {
		names = append(names, op.name)
	}
	return names
}

// schema keeps what an operation takes and gives.
func (op operation) schema() object {
	defs := o("in", objectOf(op.in), "out", objectOf(op.out), "with", objectOf(op.with))
	if op.draws != "" {
		defs = append(defs, field{"draws", objectOf(op.draws)})
	}
	if op.mid != "" {
		defs = append(defs, field{"intermediate", objectOf(optionally(op.mid))})
	}
	return o("$defs", defs)
}

// part refers to one of an operation's parts, and refuses it where the operation has none.
func (op operation) part(name string) any {
	if name == "draws" && op.draws == "" || name == "intermediate" && op.mid == "" || name == "with" && op.with == "" {
		return false
	}
	return ref(op.name + "/$defs/" + name)
}

// outcome and reasons are what a refusal may be.
func (op operation) refusals() (outcome string, reasons []string) {
	words := strings.Fields(op.fails)
	return words[0], words[1:]
}

func is(name, value string) object {
	return o("required", []string{name}, "properties", o(name, o("const", value)))
}

func vectorSchema() object {
	all := []object{{
		{"if", is("outcome", accept)},
		{"then", o("properties", o("twin", false, "reason", false))},
		{"else", o("required", []string{"twin", "reason"})},
	}, {
		{"if", is("type", script)},
		{"then", o("required", []string{"steps"}, "properties", o("in", false, "draws", false, "out", false, "intermediate", false))},
		{"else", o("required", []string{"in"}, "properties", o("steps", false))},
	}}
	types := []string{}
	for _, op := range operations() {
		if slicesHas(frameOperations, op.name) {
			continue
		}
		types = append(types, op.name)
		accepted := o("required", []string{"out"}, "properties", o("out", op.part("out")))
		refused := any(false)
		if op.fails != "" {
			outcome, reasons := op.refusals()
			properties := o("outcome", o("const", outcome), "reason", o("enum", reasons), "out", op.part("with"))
			if outcome == "any" {
				properties = properties[1:]
			}
			refused = o("properties", properties)
		}
		then := o("properties", o("in", op.part("in"), "draws", op.part("draws"), "intermediate", op.part("intermediate")),
			"if", is("outcome", accept), "then", accepted, "else", refused)
		if op.drawsAlways() {
			then = append(then, field{"allOf", []any{o("if", is("outcome", accept), "then", o("required", []string{"draws"}))}})
		}
		all = append(all, o("if", is("type", op.name), "then", then))
		if op.extra != nil {
			all = append(all, o("if", is("type", op.name), "then", op.extra))
		}
	}
	text := o("type", "string", "minLength", 1)
	return o(
		"type", "object",
		"required", []string{"id", "requirements", "type", "comment", "outcome"},
		"additionalProperties", false,
		"properties", o(
			"id", ref("id"),
			"requirements", o("type", "array", "minItems", 1, "uniqueItems", true, "items", ref("id")),
			"type", o("enum", append(types, script)),
			"comment", text,
			"source", o("type", "string", "pattern", "^(BEP|RFC|BIP|FIPS) [0-9]+$"),
			"twin", ref("id"),
			"secrets", ref("secrets"),
			"text", o("description", "Bytes of the vector for people; a program does not read it.", "type", "string"),
			"in", ref("object"),
			"steps", o("type", "array", "minItems", 1, "items", ref("step")),
			"draws", ref("object"),
			"outcome", o("enum", outcomes),
			"reason", ref("reason"),
			"out", ref("object"),
			"intermediate", ref("object"),
		),
		"allOf", all,
	)
}

func stepSchema() object {
	all := []object{}
	for _, op := range operations() {
		if slicesHas(frameOperations, op.name) && op.name != "free" {
			continue
		}
		properties := o("in", op.part("in"), "draws", op.part("draws"), "intermediate", op.part("intermediate"), "out", op.part("out"))
		if op.fails == "" {
			properties = append(properties, field{"reject", false}, field{"with", false})
		} else {
			_, reasons := op.refusals()
			properties = append(properties, field{"reject", o("enum", reasons)}, field{"with", op.part("with")})
		}
		all = append(all, o("if", is("op", op.name), "then", o("properties", properties)))
	}
	return o(
		"type", "object",
		"required", []string{"op", "in"},
		"additionalProperties", false,
		"properties", o(
			"op", ref("operation"),
			"comment", o("type", "string", "minLength", 1),
			"in", ref("object"),
			"draws", ref("object"),
			"out", ref("object"),
			"reject", ref("reason"),
			"with", ref("object"),
			"counted", o("description", "A limit counts this refusal, so that it may change the state.", "const", true),
			"intermediate", ref("object"),
		),
		"oneOf", []object{
			{{"required", []string{"out"}}, {"properties", o("reject", false, "with", false, "counted", false)}},
			{{"required", []string{"reject"}}, {"properties", o("out", false)}},
		},
		"allOf", all,
	)
}

func slicesHas(all []operation, name string) bool {
	for _, op := range all {
		if op.name == name {
			return true
		}
	}
	return false
}

// shimSchema describes the lines of the shim protocol.
func shimSchema() object {
	at := func(name string) object { return o("$ref", "urn:kith:testvectors:schema#/$defs/"+name) }
	number := o("type", "integer", "minimum", 0, "maximum", 1<<53-1)
	requests := []object{}
	for _, op := range operations() {
		properties := o("in", at(op.name+"/$defs/in"))
		if op.draws == "" {
			properties = append(properties, field{"draws", false})
		} else {
			properties = append(properties, field{"draws", at(op.name + "/$defs/draws")})
		}
		requests = append(requests, o("if", is("op", op.name), "then", o("properties", properties)))
	}
	return o(
		"$schema", draft,
		"$id", "urn:kith:testvectors:shim",
		"title", "Kith shim protocol, one line",
		"description", "A request or an answer. What an answer's out, with and intermediate hold depends on the operation that was asked: "+
			"schema.json#/$defs/OPERATION/$defs/out, and so on.",
		"oneOf", []object{ref("request"), ref("answer")},
		"$defs", o(
			"request", o(
				"type", "object",
				"required", []string{"id", "op", "in"},
				"additionalProperties", false,
				"properties", o("id", number, "op", o("type", "string", "minLength", 1), "in", at("object"), "draws", at("object")),
				"allOf", requests,
			),
			"answer", o(
				"type", "object",
				"required", []string{"id"},
				"additionalProperties", false,
				"properties", o(
					"id", number,
					"out", at("object"),
					"intermediate", at("object"),
					"reject", at("reason"),
					"with", at("object"),
					"unsupported", o("const", true),
					"error", o("description", "Why the request could not be answered, for people. It is never right.", "type", "string"),
				),
				"oneOf", []object{
					{{"required", []string{"out"}}, {"properties", o("with", false)}},
					{{"required", []string{"reject"}}},
					{{"required", []string{"unsupported"}}, {"properties", o("with", false, "intermediate", false)}},
					{{"required", []string{"error"}}, {"properties", o("with", false, "intermediate", false)}},
				},
			),
		),
	)
}
