// What a bundler would write, by hand: JupyterLab asks this container for the module ./extension, and gives it the libraries it
// shares. All there is to see comes from the server's part of the same version, so that the two are never of different ones.
(() => {
  let scope = {};

  async function shared(name) {
    const versions = Object.values(scope[name]);
    // Another extension may have brought a copy of its own; what the page itself uses is the page's.
    const own = versions.find(({ from }) => String(from).includes("application-top")) ?? versions[versions.length - 1];
    return (await own.get())();
  }

  async function extension() {
    const names = ["@jupyterlab/coreutils", "@jupyterlab/launcher", "@jupyterlab/notebook", "@jupyterlab/services", "@jupyterlab/ui-components", "@lumino/widgets", "@jupyterlab/apputils"];
    // Other pages (Voilà's) load it, too, and share less: there is no notebook beside which a panel could be.
    if (names.some((name) => !scope[name])) return () => ({ __esModule: true, default: [] });
    const [coreutils, launcher, notebook, services, ui, widgets, apputils] = await Promise.all(names.map(shared));
    const url = coreutils.URLExt.join(coreutils.PageConfig.getBaseUrl(), "workbench/extension.js");
    // Nobody waits for it: a server that is busy keeps no page from opening.
    const activate = (app, tracker, cards, palette) => {
      import(url).then((own) => own.default({ app, tracker, launcher: cards, palette, coreutils, services, ui, widgets, apputils })).catch((error) => console.error("workbench", error));
    };
    const plugin = { id: "workbench:extension", autoStart: true, requires: [notebook.INotebookTracker], optional: [launcher.ILauncher, apputils.ICommandPalette], activate };
    return () => ({ __esModule: true, default: plugin });
  }

  const modules = { "./extension": extension };
  (window._JUPYTERLAB ??= {}).workbench = { init: (given) => { scope = given; }, get: (name) => modules[name]() };
})();
