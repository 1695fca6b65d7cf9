// An expression that measures the loaded page; see duties in look_test.go.
// Contrast is that of WCAG 2.2, success criteria 1.4.3 and 1.4.11.
(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const canvas = parse(matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(18, 18, 18)" : "rgb(255, 255, 255)");
  const ground = (element) => {
    if (!element) return canvas;
    const own = parse(getComputedStyle(element).backgroundColor);
    return own.a === 1 ? own : over(own, ground(element.parentElement));
  };
  const luminance = ({ r, g, b }) => {
    const linear = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (one, two) => {
    const [high, low] = [luminance(one), luminance(two)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const seen = (element) => element.checkVisibility();
  const name = (element) => element.id || element.value || element.textContent;

  let lowest = 21, worst = "";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest(".unseen") || !seen(element)) continue;
    const under = ground(element);
    const found = contrast(over(parse(getComputedStyle(element).color), under), under);
    if (found < lowest) [lowest, worst] = [found, texts.currentNode.data.trim()];
  }

  let edge = 21;
  for (const input of document.querySelectorAll(".field input, .choice")) {
    const colour = parse(getComputedStyle(input).borderTopColor);
    edge = Math.min(edge, contrast(colour, ground(input.parentElement)));
  }

  const small = [];
  for (const element of document.querySelectorAll("a, button, summary, input:not([type=hidden]), .choice")) {
    if (!seen(element)) continue;
    const box = (element.type === "radio" ? element.closest(".choice") : element).getBoundingClientRect();
    if (box.height < 44 || box.width < 44) small.push(name(element));
  }

  const groups = new Set();
  const focusable = [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden])")].filter((element) => {
    if (!seen(element) || element.disabled) return false;
    if (element.type !== "radio") return true;
    const first = !groups.has(element.name);
    groups.add(element.name);
    return first;
  });

  const icons = [...document.querySelectorAll("svg.icon")].filter(seen);
  const domain = document.getElementById("app-domain");
  return {
    Overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    Contrast: lowest,
    Worst: worst,
    Edge: edge,
    Small: small,
    DomainAt: domain ? domain.getBoundingClientRect().bottom : 0,
    HeadingAt: document.querySelector("h1").getBoundingClientRect().bottom,
    Focusable: focusable.map(name),
    IconsDrawn: icons.filter((icon) => icon.querySelector("use").getBBox().width > 0).length,
    IconsWanted: icons.length,
  };
})()
