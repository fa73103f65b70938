/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data of the page: unpacked when it is needed. Texts go into the page as text, never as markup. */
"use strict";

/* Return an element with a class and a text. */
function make(name, style, text) {
	const element = document.createElement(name);
	if (style)
		element.className = style;
	if (text !== undefined)
		element.textContent = text;
	return element;
}

/* Return an element of a drawing with its attributes. */
function draw(name, attributes) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const key in attributes)
		element.setAttribute(key, attributes[key]);
	return element;
}

/* Return the text that is packed in the element of this id. */
async function unpack(id) {
	const packed = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
	const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
	return new Response(stream).text();
}

/* The records as columns, each with as many elements as there are rows. */
const TYPE = {message: 0, opened: 1, closed: 2, error: 3, vring: 4, continued: 5, snapshot: 6};
const FLAG = {fromBackEnd: 1, reply: 2, never: 4, notYet: 8, earlier: 16};
const SEVERITY = ["", "info", "warning", "error"];
const data = {};

/* Make columns of what was packed. */
function takeColumns(packed) {
	const rows = packed.text.length;
	let number = 0, time = 0, capture = 0, first = 0;
	data.rows = rows;
	data.texts = packed.texts;
	data.sessions = packed.sessions;
	data.captures = packed.captures;
	data.block = packed.block;
	data.number = new Float64Array(rows);
	data.time = new Float64Array(rows); /* ns, since the capture's first record */
	for (let i = 0; i < rows; i++) {
		number += packed.number[i];
		time += packed.time[i];
		if (capture < data.captures.length && i === data.captures[capture]) {
			first = time;
			while (i === data.captures[capture])
				capture++;
		}
		data.number[i] = number;
		data.time[i] = time - first;
	}
	data.type = Uint8Array.from(packed.kind, kind => kind & 7);
	data.channel = Uint8Array.from(packed.kind, kind => kind >> 3 & 3);
	data.act = Uint8Array.from(packed.kind, kind => kind >> 5 & 7);
	data.flags = Uint8Array.from(packed.kind, kind => kind >> 8);
	data.session = Int32Array.from(packed.session);
	data.text = Uint32Array.from(packed.text);
	data.pair = Int32Array.from(packed.pair, (pair, i) => pair ? i + pair : -1);
	data.delay = Float64Array.from(packed.delay);
	data.vring = Int16Array.from(packed.vring);
	data.severity = Uint8Array.from(packed.severity);
}

/* Return the row of a message that a link names, "#m17" or "#m2.17"; -1 without one. */
function rowOfLink(link) {
	const match = /^#m(?:(\d+)\.)?(\d+)$/.exec(link);
	if (!match)
		return -1;
	const capture = match[1] ? match[1] - 1 : 0, number = Number(match[2]);
	let low = data.captures[capture], high = data.captures[capture + 1] ?? data.rows;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (data.number[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return data.number[low] === number ? low : -1;
}

/* Return a length of time in the unit that reads best. */
function duration(ns) {
	for (const [unit, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "us"]])
		if (ns >= unit)
			return (ns / unit).toPrecision(3).replace(/e.*/, m => "e" + m.slice(1)) + " " + name;
	return ns + " ns";
}

const blocks = new Map();

/* Return all that there is to say of a row, as the lines of vhu dump -v -x. */
async function detailsOf(row) {
	const block = Math.floor(row / data.block);
	if (!blocks.has(block)) {
		if (blocks.size > 64)
			blocks.delete(blocks.keys().next().value);
		blocks.set(block, unpack("details" + block).then(text => text.split("\0")));
	}
	return (await blocks.get(block))[row % data.block].split("\n").slice(1);
}
