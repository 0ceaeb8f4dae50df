/* Behaviour of all pages: theme, menu, keys, copy, selection, panel, stepper, sending, toast, charts. No page needs it to
   read, and no plain form needs it to be sent. Everything is delegated, so that fragments fetched by htmx work at once. */
(() => {
  'use strict';
  const html = document.documentElement;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const text = name => html.dataset[name] || '';
  const remember = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax${location.protocol === 'https:' ? ';secure' : ''}`; };

  /* ---- theme, menu ---- */
  const flipTheme = () => { const next = html.dataset.bsTheme === 'dark' ? 'light' : 'dark'; html.dataset.bsTheme = next; remember('theme', next); drawCharts(); };

  /* ---- copy ---- */
  const copy = async button => {
    const value = button.dataset.copy ?? $('pre', button.closest('.code'))?.innerText ?? '';
    const said = $('.copied', button), label = $('.label', button);
    try { await navigator.clipboard.writeText(value); } catch {
      const area = document.createElement('textarea'); area.value = value; area.className = 'visually-hidden'; document.body.append(area); area.select(); document.execCommand('copy'); area.remove();
    }
    if (said && label) { said.hidden = false; label.hidden = true; setTimeout(() => { said.hidden = true; label.hidden = false; }, 1600); }
    if (button.dataset.tell) window.htmx?.ajax('POST', button.dataset.tell, { swap: 'none' });
  };

  /* ---- selection of rows ---- */
  const select = list => {
    if (!list) return;
    const boxes = $$('tbody .chk input', list); boxes.forEach(box => box.closest('tr').classList.toggle('sel', box.checked));
    const count = boxes.filter(box => box.checked).length, bar = $('.bl-bulk', list); if (!bar) return;
    bar.hidden = !count; const said = $('.sum b', bar), all = $('input[name=all]', bar);
    if (count < boxes.length && all) all.value = '';
    if (said) said.textContent = all?.value ? said.dataset.all : said.dataset.some.replace('{n}', count);
    const more = $('[data-do=all]', bar); if (more) more.hidden = Boolean(all?.value);
    const head = $('thead .chk input', list); if (head) { head.checked = count > 0 && count === boxes.length; head.indeterminate = count > 0 && count < boxes.length; }
  };

  /* ---- operation panel: fetched into #panel, the page behind it is inert ---- */
  let opener = null;
  const panelOpened = () => {
    const panel = $('#panel .panel'), app = $('.bl-app'); if (!panel) return;
    if (app) app.inert = true; document.body.classList.add('panel-open'); ($('#errors', panel) || $('[autofocus]', panel) || $('h2', panel))?.focus();
  };
  const panelClosed = () => {
    const place = $('#panel'), panel = $('#panel .panel'); if (!panel) return;
    if (panel.dataset.back) { location.href = panel.dataset.back; return; }
    place.replaceChildren(); const app = $('.bl-app'); if (app) app.inert = false; document.body.classList.remove('panel-open'); opener?.focus(); opener = null;
  };

  /* ---- sending a form: once ---- */
  const sending = (form, on) => $$('button:not([type=button])', form).concat(form.id ? $$(`button[form="${form.id}"]`) : []).forEach(button => {
    if (on) { button.dataset.was = button.innerHTML; button.disabled = true; if (button.dataset.busy) button.textContent = button.dataset.busy; }
    else if (button.dataset.was !== undefined) { button.disabled = false; button.innerHTML = button.dataset.was; delete button.dataset.was; }
  });
  document.addEventListener('submit', event => {
    const form = event.target; if (form.method !== 'post' || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    /* after the browser has collected the fields: a disabled button would not be sent with them */
    form.dataset.sent = '1'; setTimeout(() => sending(form, true));
  });
  addEventListener('pageshow', () => $$('form[data-sent]').forEach(form => { delete form.dataset.sent; sending(form, false); }));

  document.addEventListener('click', event => {
    const open = $('details.drop[open]'); if (open && !open.contains(event.target)) open.open = false;
    if (!event.target.closest('.bl-search')) $('#found')?.replaceChildren();
    const target = event.target.closest('[data-do]'); if (!target) return;
    const list = target.closest('.bl-list');
    switch (target.dataset.do) {
      case 'theme': flipTheme(); break;
      case 'menu': { const on = document.body.classList.toggle('nav-open'); $('.bl-burger')?.setAttribute('aria-expanded', String(on)); break; }
      case 'copy': copy(target); break;
      case 'close': event.preventDefault(); panelClosed(); break;
      case 'clear': $$('.chk input', list).forEach(box => { box.checked = false; }); select(list); break;
      case 'all': $$('tbody .chk input', list).forEach(box => { box.checked = true; }); $('input[name=all]', list).value = '1'; select(list); break;
      case 'hide': target.closest('.toast-b').remove(); break;
      case 'step': { const input = $('input', target.parentNode), low = Number(input.min || 1), high = Number(input.max || 1e9); input.value = Math.min(high, Math.max(low, Number(input.value || low) + Number(target.dataset.by))); input.dispatchEvent(new Event('change', { bubbles: true })); break; }
      case 'set': { const input = document.getElementById(target.dataset.for); input.value = target.dataset.value; input.dispatchEvent(new Event('change', { bubbles: true })); input.focus(); break; }
      case 'reveal': { const input = document.getElementById(target.dataset.for), on = input.type === 'password'; input.type = on ? 'text' : 'password'; target.setAttribute('aria-pressed', String(on)); break; }
      case 'print': window.print(); break;
      case 'pause': { const place = document.getElementById(target.dataset.for), on = target.getAttribute('aria-pressed') !== 'true', said = $('span', target), word = said.textContent; place.dataset.live = on ? 'paused' : 'on'; target.setAttribute('aria-pressed', String(on)); said.textContent = said.dataset.on; said.dataset.on = word; break; }
      default: break;
    }
  });
  document.addEventListener('change', event => {
    const box = event.target;
    if (box.closest('thead .chk')) $$('tbody .chk input', box.closest('.bl-list')).forEach(other => { other.checked = box.checked; });
    if (box.closest('.chk')) select(box.closest('.bl-list'));
    if (box.matches('[data-autosubmit]')) box.form.requestSubmit();
  });

  /* ---- keys: / search, g + letter jumps, Esc closes ---- */
  let jump = 0;
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') { if ($('#panel .panel')) panelClosed(); else if (document.body.classList.contains('nav-open')) document.body.classList.remove('nav-open'); else if (event.target.closest('.bl-search')) { $('#found')?.replaceChildren(); $('#q')?.blur(); event.target.blur(); } return; }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { const links = $$('#found a'), at = links.indexOf(document.activeElement); if (links.length && (event.target.id === 'q' || at >= 0)) { event.preventDefault(); const next = at + (event.key === 'ArrowDown' ? 1 : -1); (links[next] || (next < 0 ? $('#q') : links[at])).focus(); } return; }
    if (event.target.matches('input,textarea,select') || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') { const search = $('#q'); if (search) { event.preventDefault(); search.focus(); } return; }
    if (event.key === 'g') { jump = Date.now(); return; }
    if (Date.now() - jump < 900) { const link = $(`.bl-nav [data-g="${CSS.escape(event.key)}"]`); jump = 0; if (link) location.href = link.href; }
  });

  /* ---- password strength: length counts, repeated characters do not; the server decides ---- */
  document.addEventListener('input', event => {
    const input = event.target, meter = input.dataset.strength && document.getElementById(input.dataset.strength); if (!meter) return;
    const value = input.value, need = Number(input.dataset.need || 10), kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter(kind => kind.test(value)).length;
    const points = value.length < need ? 0 : new Set(value).size < 5 ? 0 : value.length >= need + 6 || kinds >= 3 ? 2 : 1;
    $('rect', meter).setAttribute('width', `${value ? [25, 60, 100][points] : 0}%`);
    $('svg', meter).classList.toggle('r', points === 0); $('svg', meter).classList.toggle('w', points === 1);
    $('output', meter).textContent = !value ? '' : value.length < need ? meter.dataset.short.replace('{n}', need - value.length) : meter.dataset[['weak', 'fair', 'strong'][points]];
  });

  /* ---- charts: options stand in the page as JSON, the library is fetched only where there is one ---- */
  const colour = name => { const probe = document.createElement('i'); probe.style.color = `var(${name})`; document.body.append(probe); const value = getComputedStyle(probe).color; probe.remove(); return value; };
  const tip = rows => { const box = document.createElement('div'), head = document.createElement('b'), list = [].concat(rows); head.textContent = list[0].axisValueLabel ?? list[0].name; box.className = 'tip'; box.append(head); list.forEach(row => { const line = document.createElement('div'); line.textContent = `${row.seriesName}  ${Number(Array.isArray(row.value) ? row.value[1] : row.value).toLocaleString('en')}`; const mark = document.createElement('i'); mark.style.background = row.color; line.prepend(mark); box.append(line); }); return box; };
  const drawCharts = () => {
    const places = $$('[data-chart]'); if (!places.length) return;
    if (!window.echarts) { if (!$('#echarts')) { const script = document.createElement('script'); script.id = 'echarts'; script.src = text('echarts'); script.onload = drawCharts; document.head.append(script); } return; }
    const ink = colour('--bl-text-2'), line = colour('--bl-line'), surface = colour('--bl-surface'), body = colour('--bl-text');
    const palette = ['--ch1', '--ch2', '--ch3', '--ch4', '--ch5', '--ch6'].map(colour);
    const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: ink, fontSize: 11 }, splitLine: { lineStyle: { color: line } } };
    places.forEach(place => {
      const option = JSON.parse($('script', place.parentNode).textContent); window.echarts.getInstanceByDom(place)?.dispose(); const chart = window.echarts.init(place);
      option.color ??= palette; option.animation = false; option.textStyle = { fontFamily: getComputedStyle(document.body).fontFamily };
      option.tooltip = { trigger: option.tip || 'axis', backgroundColor: surface, borderColor: line, textStyle: { color: body, fontSize: 12 }, formatter: tip };
      option.grid = { left: 4, right: 8, top: option.legend ? 30 : 12, bottom: 2, containLabel: true, ...(option.grid || {}) };
      if (option.legend) option.legend = { right: 0, top: 0, icon: 'roundRect', itemWidth: 9, itemHeight: 9, itemGap: 12, textStyle: { color: ink, fontSize: 12 }, ...option.legend };
      for (const key of ['xAxis', 'yAxis']) if (option[key]) option[key] = { ...axis, ...option[key], axisLabel: { ...axis.axisLabel, ...(option[key].axisLabel || {}) }, ...(option[key].type === 'category' ? { splitLine: { show: false } } : { axisLine: { show: false } }) };
      (option.series || []).forEach(series => { if (series.area) series.areaStyle = { opacity: .1 }; if (series.label === true) series.label = { show: true, position: 'right', color: body, fontSize: 12 }; });
      chart.setOption(option);
    });
  };
  addEventListener('resize', () => window.echarts && $$('[data-chart]').forEach(place => window.echarts.getInstanceByDom(place)?.resize()));

  /* ---- htmx ---- */
  document.addEventListener('htmx:configRequest', event => {
    const token = $('meta[name=csrf-token]'); if (token && event.detail.verb !== 'get') event.detail.headers['X-CSRFToken'] = token.content;
    /* a page that refreshes itself must not keep a left desk signed in */
    if (!event.detail.triggeringEvent) event.detail.headers['X-Broadloom-Poll'] = '1';
    if (event.detail.target?.id === 'panel') opener ??= document.activeElement;
  });
  document.addEventListener('htmx:beforeRequest', event => {
    const form = event.detail.elt; if (form.tagName !== 'FORM' || event.detail.requestConfig.verb === 'get') return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1'; sending(form, true);
  });
  /* an error page of something in between (a proxy) must not be put into ours */
  document.addEventListener('htmx:beforeSwap', event => { const { xhr } = event.detail; if (xhr.status >= 400 && xhr.status !== 422 && !xhr.getResponseHeader('HX-Retarget')) { event.detail.shouldSwap = false; lost(); } });
  /* a part that refreshes itself waits while somebody works in it: rows chosen, a menu open, a field in use */
  document.addEventListener('htmx:beforeRequest', event => {
    const place = event.target.closest?.('[data-live]'); if (place !== event.target || event.detail.requestConfig.verb !== 'get') return;
    if (place.dataset.live === 'paused' || $('.chk input:checked, details[open]', place) || place.contains(document.activeElement) && document.activeElement.matches('input,select,textarea')) event.preventDefault();
  });
  document.addEventListener('htmx:afterSwap', event => { if (event.detail.target.id === 'panel') panelOpened(); showChosen(); $$('.bl-list').forEach(select); drawCharts(); });
  document.addEventListener('htmx:afterRequest', event => { const form = event.target.closest?.('form'); if (form && form.dataset.sent) { delete form.dataset.sent; if (!event.detail.xhr?.getResponseHeader('HX-Redirect')) sending(form, false); } });
  const lost = () => { const place = $('#lost'); if (place) place.hidden = false; };
  document.addEventListener('htmx:sendError', lost);

  /* ---- of a row that scrolls sideways the chosen one is in sight ---- */
  const showChosen = () => $$('.tabs-b, .bl-states, .side-nav').forEach(row => {
    const chosen = $('[aria-current]', row)?.getBoundingClientRect(), place = row.getBoundingClientRect();
    if (chosen) row.scrollLeft += chosen.left - place.left - (place.width - chosen.width) / 2;
  });

  html.classList.add('js'); showChosen(); $$('.bl-list').forEach(select); panelOpened(); $('main #errors')?.focus(); drawCharts();
  if ($('[data-print-now]')) addEventListener('load', () => window.print());
})();
