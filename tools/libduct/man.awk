# SPDX-License-Identifier: MIT
#
# A page of section 3 from one of kernel-doc's, which are for section 9.
# page=NAME version=VERSION
/^\.TH/ {
	printf ".TH %s 3 \"\" \"xen-duct %s\" \"libduct\"\n", page, version
	next
}
/^\.SH SYNOPSIS/ {
	print ".SH SYNOPSIS\n.B #include <libduct.h>\n.PP"
	next
}
# The page of the whole library is a section of text there.
/^\.SH "libduct"$/ {
	print ".SH NAME\nlibduct \\- xen-duct for programs"
	print ".SH SYNOPSIS\n.B #include <libduct.h>\n.PP\n.B cc ... \\-lduct"
	print ".SH DESCRIPTION"
	next
}
/^\*\*[^*]*\*\*: / {
	split($0, part, /\*\*:? ?/)
	print ".SH " toupper(part[2])
	print part[3]
	next
}
/^\* / {
	print ".IP \\(bu 2\n" substr($0, 3)
	next
}
/^\.SH Members/ {
	print ".SH MEMBERS"
	next
}
# "TYPE NAME "  ","
/^\.BI .* "  "/ {
	sub(/ "  "/, "\" \"")
}
# Half of a bold line, around the end of a struct.
/^\.BI "$/ {
	next
}
{
	print
}
END {
	if (page != "libduct")
		print ".SH SEE ALSO\n.BR libduct (3)"
	else
		print ".SH SEE ALSO\n.BR duct\\-cat (1)"
}
