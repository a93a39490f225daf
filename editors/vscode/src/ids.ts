// Every name by which this extension is known to VS Code, to package.json and
// to the tests that drive it. `test/manifest.test.ts` holds them against
// package.json.

/** The extension, as VS Code names it. */
export const EXTENSION_ID = 'countersign.countersign';

/** The scheme of the server's documents: sessions and the journal. */
export const SCHEME = 'countersign';

/** The scheme of the sides of a proposed change. */
export const CHANGE_SCHEME = 'countersign-change';

/** The journal, as a document. */
export const JOURNAL_URI = 'countersign:/journal';

/**
 * Commands of the extension. Arguments in brackets. None of them approves,
 * grants, trusts or loosens: those open a confirmation.
 */
export const Command = {
  /** The menu that a click on the status bar opens. */
  menu: 'countersign.menu',
  /** Shows the newest approval and moves the keyboard there. */
  focusApproval: 'countersign.focusApproval',
  /** Shows an approval [id, or a tree item]. */
  showApproval: 'countersign.showApproval',
  /** Denies at once [id, or a tree item]. */
  deny: 'countersign.deny',
  /** Opens the change of an edit as a diff [id, or a tree item]. */
  showChange: 'countersign.showChange',
  /** Explains a call [id, or a tree item]. */
  explain: 'countersign.explain',
  /** Opens the confirmation of a grant [id, or a tree item]. */
  allowOnce: 'countersign.allowOnce',
  dismissBlocked: 'countersign.dismissBlocked',
  dismissAllBlocked: 'countersign.dismissAllBlocked',
  /** Lets choose a mode [a session's tree item, or nothing]. */
  chooseMode: 'countersign.chooseMode',
  /** Opens a session's document [uri, or a tree item]. */
  showSession: 'countersign.showSession',
  showSessions: 'countersign.showSessions',
  resetCounters: 'countersign.resetCounters',
  showJournal: 'countersign.showJournal',
  filterHistory: 'countersign.filterHistory',
  clearHistoryFilter: 'countersign.clearHistoryFilter',
  refreshHistory: 'countersign.refreshHistory',
  reviewTrust: 'countersign.reviewTrust',
  openSettings: 'countersign.openSettings',
  openWalkthrough: 'countersign.openWalkthrough',
  installHooks: 'countersign.installHooks',
  restartServer: 'countersign.restartServer',
  showLog: 'countersign.showLog',
} as const;

/** Views in the container. */
export const View = {
  container: 'countersign',
  approvals: 'countersign.approvals',
  sessions: 'countersign.sessions',
  history: 'countersign.history',
} as const;

/** Contexts for `when` clauses. */
export const Context = {
  /** The server runs and speaks our protocol. */
  running: 'countersign.running',
  /** An approval waits. */
  waiting: 'countersign.waiting',
  /** Blocked calls are listed. */
  blocked: 'countersign.blocked',
  /** The list of decisions is filtered. */
  filtered: 'countersign.filtered',
} as const;

/** The status bar item. */
export const STATUS_ITEM = 'countersign.status';

/** The prompt of approvals: a web view panel in the editor area. */
export const PROMPT_VIEW = 'countersign.prompt';

/** A question that is no approval (a mode, a grant, trust): the same document in a panel of its own. */
export const QUESTION_VIEW = 'countersign.question';

/**
 * Ids of elements in the prompt's document. The tests click and read them; the
 * script and the style use the same ones.
 */
export const Prompt = {
  /** What happened to the approval before, or why an answer did not count. */
  notice: 'notice',
  /** Who wants what. */
  title: 'title',
  /** `2 of 5`. */
  position: 'position',
  previous: 'previous',
  next: 'next',
  why: 'why',
  detail: 'detail',
  textLabel: 'text-label',
  /** The whole text of the call; its `data-whole` is `true` once all of it was on the screen. */
  text: 'text',
  effects: 'effects',
  parts: 'parts',
  facts: 'facts',
  /** What must happen before it can be approved, or the time that is left. */
  hint: 'hint',
  /** What the agent is told of a denial. */
  message: 'message',
  deny: 'deny',
  approve: 'approve',
  remember: 'remember',
  switchToDefault: 'switch',
  showChange: 'change',
  explain: 'explain',
  /** The second step of remembering, with the rules and the scopes. */
  confirm: 'confirm',
  rules: 'rules',
  scopes: 'scopes',
  confirmYes: 'confirm-yes',
  confirmNo: 'confirm-no',
} as const;

/** Keys in the prompt while it has the keyboard. */
export const PromptKey = {
  deny: 'n',
  approve: 'y',
  remember: 'r',
  switchToDefault: 's',
  showChange: 'c',
  explain: 'e',
  previous: '[',
  next: ']',
} as const;

/** Settings of the extension's own; all others go to the server as they are. */
export const Setting = {
  section: 'countersign',
  serverPath: 'server.path',
  serverArguments: 'server.arguments',
  serverEnvironment: 'server.environment',
  reveal: 'approvals.reveal',
} as const;

/** The walkthrough for the first start. */
export const WALKTHROUGH = `${EXTENSION_ID}#start`;
