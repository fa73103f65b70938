/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of records with its sequence chart. Only the rows in sight are in the page: `view` has
 * the rows that pass the filter, in their order, and `place` where each row is in it.
 */
"use strict";

const ROW = 24; /* pixels, as in the style */
const list = {
	view: new Int32Array(0), place: null, selected: -1, matches: new Int32Array(0), match: null,
	busy: [null, null], onselect: null,
};

/* Return whether a row passes the filter. */
function passes(filter, row) {
	const type = data.type[row], flags = data.flags[row];
	if (filter.session >= 0 && data.session[row] !== filter.session)
		return false;
	if (filter.vring >= 0 && data.vring[row] !== filter.vring)
		return false;
	if (filter.channel >= 0 && data.channel[row] !== filter.channel)
		return false;
	switch (filter.show) {
	case "messages": return type === TYPE.message;
	case "events": return type === TYPE.vring;
	case "snapshots": return type === TYPE.snapshot;
	case "findings": return data.severity[row] > 0;
	case "unanswered": return (flags & (FLAG.never | FLAG.notYet)) !== 0;
	case "slow": return (flags & FLAG.reply) !== 0 && data.delay[row] >= 1e6;
	default: return true;
	}
}

/* Count, for each place of the view, the requests that wait below it: for the back-end's answer,
 * for the front-end's. */
function countBusy() {
	list.busy = [new Int32Array(list.view.length + 1), new Int32Array(list.view.length + 1)];
	for (let i = 0; i < list.view.length; i++) {
		const row = list.view[i], reply = data.pair[row];
		if (reply <= row || list.place[reply] < 0 || data.type[row] !== TYPE.message)
			continue;
		const side = data.flags[row] & FLAG.fromBackEnd ? 1 : 0;
		list.busy[side][i]++;
		list.busy[side][list.place[reply]]--;
	}
	for (const busy of list.busy)
		for (let i = 1; i < busy.length; i++)
			busy[i] += busy[i - 1];
}

/* Choose the rows that are shown. */
function applyFilter(filter) {
	const words = filter.search.toLowerCase();
	const found = words ? data.texts.map(text => text.toLowerCase().includes(words)) : null;
	const view = [], matches = [];
	list.place = new Int32Array(data.rows).fill(-1);
	for (let row = 0; row < data.rows; row++) {
		if (!passes(filter, row))
			continue;
		const match = found && found[data.text[row]];
		if (filter.only && found && !match)
			continue;
		list.place[row] = view.length;
		view.push(row);
		if (match)
			matches.push(row);
	}
	list.view = Int32Array.from(view);
	list.matches = Int32Array.from(matches);
	list.match = found;
	countBusy();
	list.space.style.height = list.view.length * ROW + "px";
	list.box.style.height = "min(65vh, " + (Math.max(list.view.length, 3) * ROW + 2) + "px)";
	render();
}

/* Draw the arrow of a row, whose lines are at @left and @right. */
function drawWay(svg, row, left, right) {
	const type = data.type[row], flags = data.flags[row], middle = (left + right) / 2;
	const event = type === TYPE.vring;
	const back = event ? data.act[row] >= 2 : (flags & FLAG.fromBackEnd) !== 0;
	const kind = event ? "e" : data.channel[row];
	if (type === TYPE.snapshot) {
		svg.append(draw("path", {class: "mark", d: `M${middle} 5l7 7l-7 7l-7 -7z`}));
	} else if (event && data.act[row] === 1) {
		svg.append(draw("circle", {class: "he", cx: right, cy: 12, r: 4}));
	} else if (!event && type !== TYPE.message) {
		svg.append(draw("path", {class: "life", d: `M${left} 12H${right}`}));
	} else {
		const from = back ? right : left, to = back ? left : right, step = back ? 8 : -8;
		svg.append(draw("path", {class: "way c" + kind, d: `M${from} 12H${to + step}`}),
			   draw("path", {class: "h" + kind, d: `M${to} 12l${step} -4v8z`}));
		if (flags & (FLAG.never | FLAG.notYet))
			svg.append(draw("circle", {class: "mark", cx: to, cy: 12, r: 3}));
	}
}

/* Draw the part of the sequence chart that is in a row. */
function drawRow(place, row) {
	const width = list.narrow ? 72 : 150, left = 8, right = width - 8;
	const svg = draw("svg", {viewBox: `0 0 ${width} ${ROW}`, "aria-hidden": "true"});
	[left, right].forEach((x, i) => {
		const busy = list.busy[1 - i];
		svg.append(draw("path", {class: "life", d: `M${x} 0V${ROW}`}));
		if (place > 0 && busy[place - 1])
			svg.append(draw("rect", {class: "busy", x: x - 4, y: 0, width: 8, height: 12}));
		if (busy[place])
			svg.append(draw("rect", {class: "busy", x: x - 4, y: 12, width: 8, height: 12}));
	});
	drawWay(svg, row, left, right);
	return svg;
}

/* Return how a row says whom a message goes to, for those who do not see the chart. */
function wayText(row) {
	if (data.type[row] !== TYPE.message)
		return "";
	return data.flags[row] & FLAG.fromBackEnd ? "from the back-end: " : "from the front-end: ";
}

/* Return the element of a row. */
function makeRow(place) {
	const row = list.view[place], flags = data.flags[row];
	const element = make("div", "row " + SEVERITY[data.severity[row]]);
	const text = make("span", "text"), after = make("span", "after");
	element.id = "r" + row;
	element.setAttribute("role", "option");
	element.setAttribute("aria-posinset", place + 1);
	element.setAttribute("aria-setsize", list.view.length);
	element.setAttribute("aria-selected", row === list.selected);
	element.classList.toggle("selected", row === list.selected);
	element.classList.toggle("match", !!(list.match && list.match[data.text[row]]));
	element.style.top = place * ROW + "px";
	text.append(make("span", "hidden", wayText(row)), data.texts[data.text[row]]);
	if (flags & (FLAG.never | FLAG.notYet)) {
		const open = make("span", "never", flags & FLAG.never ? "never answered" : "not answered yet");
		/* Where there is no room for both it matters more than the rest of the text. */
		text[list.narrow ? "prepend" : "append"](" ", open, " ");
	}
	if (data.delay[row] || (flags & FLAG.reply && data.pair[row] >= 0)) {
		after.textContent = duration(data.delay[row]);
		/* A bar behind it: from 1 us to 10 s, each tenfold as long as the other. */
		after.style.backgroundSize = Math.min(Math.max(Math.log10(data.delay[row]) - 2.5, 0) / 7.5, 1) * 100 + "% 100%";
	}
	element.append(make("span", "number", data.number[row]),
		       make("span", "time", (data.time[row] / 1e9).toFixed(6)));
	if (data.sessions.length > 1)
		element.append(make("span", "number", data.session[row] < 0 ? "" : data.sessions[data.session[row]]));
	element.append(drawRow(place, row), text, after);
	return element;
}

/* Show the rows in sight. */
function render() {
	const first = Math.max(0, Math.floor(list.box.scrollTop / ROW) - 4);
	const last = Math.min(list.view.length, first + Math.ceil(list.box.clientHeight / ROW) + 8);
	const rows = [];
	for (let place = first; place < last; place++)
		rows.push(makeRow(place));
	list.space.replaceChildren(...rows);
	if (!list.view.length)
		list.space.append(make("p", "quiet", "No record passes the filter."));
}

/* Bring a row into sight. */
function reveal(row) {
	const top = list.place[row] * ROW, height = list.box.clientHeight;
	if (top < list.box.scrollTop || top + ROW > list.box.scrollTop + height)
		list.box.scrollTop = top - height / 2;
	render();
}

/* Select a row that is in the view, and bring it into sight. */
function select(row) {
	list.selected = row;
	if (!document.activeElement.closest("input, select"))
		list.box.focus({preventScroll: true});
	list.box.setAttribute("aria-activedescendant", "r" + row);
	reveal(row);
	list.onselect(row);
}

/* Select the row @step rows further. */
function move(step) {
	if (!list.view.length)
		return;
	const at = list.selected >= 0 ? list.place[list.selected] : -1;
	const to = at < 0 ? Math.floor(list.box.scrollTop / ROW) : at + step;
	select(list.view[Math.min(Math.max(to, 0), list.view.length - 1)]);
}

/* Return the first row after the selected one, or before it, that @wanted says yes to; -1: none. */
function nextRow(step, wanted) {
	const count = list.view.length, at = list.selected >= 0 ? list.place[list.selected] : step > 0 ? -1 : count;
	for (let i = 1; i <= count; i++) {
		const row = list.view[(at + step * i + count * 2) % count];
		if (wanted(row))
			return row;
	}
	return -1;
}
