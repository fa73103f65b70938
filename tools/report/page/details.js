/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The details of the selected record: every field, its descriptors, its bytes. */
"use strict";

const details = {box: null, row: -1};

/* Return a button that leads to another row. */
function leadTo(words, row, go) {
	const button = make("button", "", words + " " + data.number[row]);
	button.type = "button";
	button.addEventListener("click", () => go(row));
	return button;
}

/* Return the element of a line of vhu dump -v. */
function fieldOf(line) {
	const depth = Math.min(3, Math.max(0, Math.floor((line.search(/\S/) - 8) / 4)));
	const element = make("div", "d" + depth), text = line.trim(), colon = text.indexOf(": ");
	if (text.startsWith("! "))
		element.append(make("span", "broken", text.slice(2)));
	else if (colon > 0)
		element.append(make("span", "label", text.slice(0, colon + 1)), text.slice(colon + 1));
	else
		element.append(text);
	return element;
}

/* Return the lines of a record as fields and bytes. */
function fieldsOf(lines) {
	const fields = make("div", "fields"), bytes = [];
	for (const line of lines)
		if (/^ {8}[0-9a-f]{4,}  [0-9a-f]{2}/.test(line))
			bytes.push(line.slice(8));
		else if (line.trim())
			fields.append(fieldOf(line));
	return [fields, bytes.length ? make("pre", "", bytes.join("\n")) : ""];
}

/* Show the details of a row. @go: selects another one. */
async function showDetails(row, go) {
	const head = make("h3", "", data.number[row] + " " + data.texts[data.text[row]]);
	const close = make("button", "close", "\u00d7"), links = make("p");
	details.row = row;
	close.type = "button";
	close.setAttribute("aria-label", "Close the details");
	close.addEventListener("click", hideDetails);
	if (data.pair[row] >= 0)
		links.append(leadTo(data.pair[row] > row ? "Reply" : "Request", data.pair[row], go), " ");
	const when = make("p", "quiet", wayText(row).replace(": ", ", ") + (data.time[row] / 1e9).toFixed(9) + " s" +
		(data.session[row] < 0 ? "" : ", session " + data.sessions[data.session[row]]));
	if (data.delay[row])
		when.append(", after " + duration(data.delay[row]));
	const lines = await detailsOf(row);
	/* Another one was selected while this one was unpacked. */
	if (details.row !== row)
		return;
	details.box.replaceChildren(close, head, when, links, ...fieldsOf(lines));
	details.box.hidden = false;
	details.box.scrollTop = 0;
	render();
	/* On a phone they lie over the list. */
	if (list.narrow)
		document.getElementById("r" + row)?.scrollIntoView({block: "nearest"});
}

/* Hide the details. */
function hideDetails() {
	details.row = -1;
	details.box.hidden = true;
	list.box.focus();
	render();
}
