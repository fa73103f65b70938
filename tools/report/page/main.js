/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the page does: theme, filter and search, keys, links to messages. */
"use strict";

const filter = {session: -1, vring: -1, channel: -1, show: "all", search: "", only: false};
const controls = {};

/* Return a control with its label. */
function labelled(name, control) {
	control.setAttribute("aria-label", name);
	control.title = name;
	return control;
}

/* Return a choice of a filter: pairs of value and text. */
function choice(key, name, options) {
	const box = labelled(name, make("select"));
	for (const [value, text] of options)
		box.append(new Option(text, value));
	box.addEventListener("change", () => {
		filter[key] = key === "show" ? box.value : Number(box.value);
		refilter();
	});
	controls[key] = box;
	return box;
}

/* Return a button. */
function button(text, name, action) {
	const element = labelled(name, make("button", "", text));
	element.type = "button";
	element.addEventListener("click", action);
	return element;
}

/* Show what passes the filter, and how much it is. */
function refilter() {
	applyFilter(filter);
	const found = list.matches.length;
	controls.count.textContent = (filter.search ? found + " found in " : "") + list.view.length +
		(list.view.length === data.rows ? "" : " of " + data.rows) + " records";
	if (list.selected >= 0 && list.place[list.selected] >= 0)
		reveal(list.selected);
}

/* Let all records pass. */
function resetFilter() {
	Object.assign(filter, {session: -1, vring: -1, channel: -1, show: "all", only: false});
	for (const key of ["session", "vring", "channel"])
		if (controls[key])
			controls[key].value = "-1";
	controls.show.value = "all";
	controls.only.checked = false;
	refilter();
}

/* Go to a row, whether or not it passes the filter, and show its details. */
function go(row) {
	if (row < 0)
		return;
	if (list.place[row] < 0)
		resetFilter();
	select(row);
	showDetails(row, go);
}

/* Go to the next record that was searched for; @step -1: the one before. */
function goMatch(step) {
	const direct = /^#(\d+)$/.exec(filter.search);
	if (direct)
		go(rowOfLink("#m" + direct[1]));
	else if (list.match)
		go(nextRow(step, row => list.match[data.text[row]]));
}

/* Return the bar above the list. */
function makeBar() {
	const bar = make("div"), search = labelled("Search messages (/)", make("input"));
	const only = make("label"), vrings = [...new Set(data.vring)].filter(v => v >= 0).sort((a, b) => a - b);
	bar.id = "bar";
	search.type = "search";
	search.placeholder = "Search, or #number";
	search.addEventListener("input", () => { filter.search = search.value; refilter(); });
	search.addEventListener("keydown", event => {
		if (event.key === "Enter")
			goMatch(event.shiftKey ? -1 : 1);
		else if (event.key === "Escape")
			list.box.focus();
	});
	controls.search = search;
	controls.only = make("input");
	controls.only.type = "checkbox";
	controls.only.addEventListener("change", () => { filter.only = controls.only.checked; refilter(); });
	only.append(controls.only, " only what is found");
	bar.append(search, only, choice("show", "Kind of records", [["all", "all records"], ["messages", "messages"],
		["events", "kicks and calls"], ["snapshots", "snapshots"], ["findings", "with findings"],
		["unanswered", "unanswered"], ["slow", "slower than 1 ms"]]));
	if (data.sessions.length > 1)
		bar.append(choice("session", "Session", [[-1, "all sessions"],
			...data.sessions.slice(0, 1000).map((id, i) => [i, "session " + id])]));
	if (new Set(data.channel).size > 1)
		bar.append(choice("channel", "Channel", [[-1, "all channels"], [0, "front-end channel"],
			[1, "back-end channel"], [2, "gpu channel"]]));
	if (vrings.length > 1)
		bar.append(choice("vring", "Vring", [[-1, "all vrings"], ...vrings.map(v => [v, "vring " + v])]));
	controls.count = make("span", "quiet");
	controls.count.setAttribute("role", "status");
	bar.append(controls.count);
	return bar;
}

/* Return the head of the list: what its columns are. */
function makeLanes() {
	const lanes = make("div", "lanes"), ends = make("span", "ends");
	ends.append(make("span", "", list.narrow ? "front" : "front-end"), make("span", "", list.narrow ? "back" : "back-end"));
	lanes.setAttribute("aria-hidden", "true");
	lanes.append(make("span", "number", list.narrow ? "no." : "number"), make("span", "time", "time, s"));
	if (data.sessions.length > 1)
		lanes.append(make("span", "", list.narrow ? "s." : "session"));
	lanes.append(ends, make("span", "", "message"), make("span", "after", "after"));
	return lanes;
}

/* Set the columns for the width that there is. */
function setColumns() {
	const several = data.sessions.length > 1;
	list.narrow = innerWidth <= 800;
	document.getElementById("app").style.setProperty("--columns", list.narrow
		? `2.6rem ${several ? "1.6rem " : ""}72px 1fr` : `3.6rem 6rem ${several ? "3.6rem " : ""}150px 1fr 5rem`);
}

/* Make the list in the place of the table of the first messages. */
function makeApp() {
	const app = document.getElementById("app"), panes = make("div"), chart = make("div");
	panes.id = "panes";
	chart.id = "chart";
	list.box = labelled("Messages", make("div"));
	list.box.removeAttribute("title");
	list.box.id = "list";
	list.box.tabIndex = 0;
	list.box.setAttribute("role", "listbox");
	list.space = make("div");
	list.space.id = "space";
	list.box.append(list.space);
	list.onselect = row => { if (!details.box.hidden) showDetails(row, go); };
	details.box = labelled("Details of the message", make("aside"));
	details.box.removeAttribute("title");
	details.box.id = "details";
	details.box.hidden = true;
	setColumns();
	chart.append(makeLanes(), list.box);
	panes.append(chart, details.box);
	app.append(makeBar(), panes);
	document.getElementById("first").hidden = true;
	app.hidden = false;
	let drawn = false;
	list.box.addEventListener("scroll", () => {
		if (!drawn)
			requestAnimationFrame(() => { drawn = false; render(); });
		drawn = true;
	});
	list.space.addEventListener("click", event => {
		/* The row that was pressed may have been drawn again since. */
		const place = Math.floor((event.clientY - list.space.getBoundingClientRect().top) / ROW);
		if (place >= 0 && place < list.view.length)
			go(list.view[place]);
	});
	addEventListener("resize", () => {
		setColumns();
		chart.replaceChild(makeLanes(), chart.firstChild);
		render();
	});
	refilter();
}

const KEYS = [
	["j, \u2193", "next record"], ["k, \u2191", "record before"], ["Enter", "show its details"],
	["r", "go to its reply or request"], ["f, F", "next finding, the one before"], ["/", "search"],
	["n, N", "next match, the one before"], ["Home, End, Page Up, Page Down", "far"],
	["Esc", "close the details"], ["t", "light or dark"], ["?", "this help"],
];

/* Show the keys. */
function showHelp() {
	let box = document.querySelector("dialog");
	if (!box) {
		box = make("dialog");
		const rows = make("table");
		for (const [key, does] of KEYS) {
			const row = make("tr"), cell = make("td");
			cell.append(make("kbd", "", key));
			row.append(cell, make("td", "", does));
			rows.append(row);
		}
		box.append(make("h3", "", "Keys"), rows, button("Close", "Close", () => box.close()));
		document.body.append(box);
	}
	box.showModal();
}

/* Go from the light theme to the dark one, or back. */
function switchTheme() {
	const dark = document.documentElement.dataset.theme
		? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	document.documentElement.dataset.theme = dark ? "light" : "dark";
	try {
		localStorage.setItem("vhu-theme", document.documentElement.dataset.theme);
	} catch {
		/* A browser may keep nothing for a page from a file. */
	}
}

/* What a key does while the list is there. */
function listKey(key) {
	const page = Math.max(1, Math.floor(list.box.clientHeight / ROW) - 1);
	switch (key) {
	case "j": case "ArrowDown": move(1); break;
	case "k": case "ArrowUp": move(-1); break;
	case "PageDown": move(page); break;
	case "PageUp": move(-page); break;
	case "Home": move(-data.rows); break;
	case "End": move(data.rows); break;
	case "Enter": if (list.selected >= 0) go(list.selected); break;
	case "Escape": hideDetails(); break;
	case "r": if (list.selected >= 0) go(data.pair[list.selected]); break;
	case "f": go(nextRow(1, row => data.severity[row] > 0)); break;
	case "F": go(nextRow(-1, row => data.severity[row] > 0)); break;
	case "n": goMatch(1); break;
	case "N": goMatch(-1); break;
	default: return false;
	}
	return true;
}

/* Return whether a key belongs to the list: it has the focus, or the key is a letter. */
function isForList(event) {
	if (event.target.closest("#list"))
		return true;
	return /^[jkrfFnN]$/.test(event.key) || (event.key === "Escape" && !details.box.hidden);
}

/* Take a key. */
function onKey(event) {
	if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, dialog"))
		return;
	if (event.key === "?")
		showHelp();
	else if (event.key === "t")
		switchTheme();
	else if (list.box && event.key === "/")
		controls.search.focus();
	else if (!list.box || !isForList(event) || !listKey(event.key))
		return;
	event.preventDefault();
}

/* Follow a link to a message. */
function followLink() {
	const row = rowOfLink(location.hash);
	if (row < 0)
		return;
	document.getElementById("messages").scrollIntoView();
	go(row);
}

try {
	const theme = localStorage.getItem("vhu-theme");
	if (theme === "dark" || theme === "light")
		document.documentElement.dataset.theme = theme;
} catch {
	/* The system's theme, then. */
}
document.getElementById("tools").append(button("\u25d0", "Light or dark (t)", switchTheme),
	button("?", "Keys (?)", showHelp));
addEventListener("keydown", onKey);
unpack("data").then(text => {
	takeColumns(JSON.parse(text));
	makeApp();
	addEventListener("hashchange", followLink);
	document.addEventListener("click", event => {
		const link = event.target.closest("a.m");
		/* The browser sends no event for the link that is current already. */
		if (link && link.hash === location.hash)
			followLink();
	});
	followLink();
	/* When all was there, in ms since the page was opened. */
	document.documentElement.dataset.ready = Math.ceil(performance.now());
}).catch(error => {
	document.getElementById("messages").prepend(make("p", "quiet",
		"This browser cannot unpack the messages (" + error + "): these are the first."));
});
