#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dt-schema on the device-tree binding: it is well-formed, its example follows
# it, and what must be refused is.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

need dt-doc-validate dt-schema
need dtc device-tree-compiler

schemas=$scratch/bindings
binding=$schemas/reserved-memory/kmemlab,cblock.yaml
mkdir -p "$schemas/reserved-memory"
cp "$top/Documentation/devicetree/bindings/kmemlab,cblock.yaml" "$binding"
# Before 2023 the schema of what all reserved memory has was part of the kernel.
if ! find /usr/lib/python3 -name reserved-memory.yaml 2>/dev/null | grep -q .; then
	cat >"$schemas/reserved-memory/reserved-memory.yaml" <<-'EOF'
	%YAML 1.2
	---
	$id: http://devicetree.org/schemas/reserved-memory/reserved-memory.yaml#
	$schema: http://devicetree.org/meta-schemas/base.yaml#
	title: Reserved memory
	maintainers:
	  - nobody <nobody@localhost>
	description: The properties that a node of reserved memory may have.
	properties:
	  reg: true
	  size:
	    $ref: /schemas/types.yaml#/definitions/uint32-matrix
	  alignment:
	    $ref: /schemas/types.yaml#/definitions/uint32-matrix
	  alloc-ranges:
	    $ref: /schemas/types.yaml#/definitions/uint32-matrix
	  no-map:
	    type: boolean
	  reusable:
	    type: boolean
	additionalProperties: true
	...
	EOF
fi

# validate DTS: what dt-validate has to say on it
validate()
{
	[ -s "$scratch/schema.json" ] ||
		dt-mk-schema -j "$schemas" >"$scratch/schema.json" || return 1
	dtc -q -I dts -O dtb -o "$scratch/tree.dtb" "$1" || return 1
	dt-validate -p "$scratch/schema.json" "$scratch/tree.dtb" 2>&1
}

well_formed()
{
	said=$(dt-doc-validate -u "$schemas" "$binding" 2>&1) || fail "$said"
	same "" "$said" "what dt-doc-validate says"
}

# the example, as sed's ARGs change it
example() { dt-extract-example "$binding" | sed "$@" >"$scratch/example.dts"; }

example_is_valid()
{
	example -e ''
	grep -q 'kmemlab,cblock' "$scratch/example.dts" || fail "no example"
	same "" "$(validate "$scratch/example.dts")" "what dt-validate says"
}

# wrong WORD SED-COMMAND: the example so changed is refused, with this word
wrong()
{
	example -e "$2"
	validate "$scratch/example.dts" | grep -q "$1" || fail "accepted: $2"
}

mistakes_are_refused()
{
	wrong reusable 's/no-map;/reusable;/'
	wrong label 's/no-map;/label = "not a name";/'
	wrong surplus 's/no-map;/surplus;/'
}

run_cases \
	"the binding is well-formed:well_formed" \
	"its example follows it:example_is_valid" \
	"mistakes are refused:mistakes_are_refused"
