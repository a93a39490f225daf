;;; countersign.el --- Decide what coding agents may do  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the Countersign authors
;; SPDX-License-Identifier: MIT OR Apache-2.0

;; Author: the Countersign authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "30.1"))
;; Keywords: tools, processes

;;; Commentary:

;; Countersign asks you before a coding agent does what nothing vouches for.
;; With `countersign-mode' on, it asks in this Emacs: a window shows what waits
;; and never takes the focus, and the mode line says in which mode agents work,
;; how many calls wait, and how the denials stand against their caps.
;;
;;   (add-to-list 'load-path "/path/to/editors/emacs")
;;   (require 'countersign)
;;   (keymap-global-set "C-c g" #'countersign-pending)
;;   (countersign-mode)

;;; Code:

(require 'cl-lib)
(require 'project)
(require 'countersign-client)
(require 'countersign-draw)
(require 'countersign-prompt)
(require 'countersign-text)

;;; Projects

(defvar countersign-mode)

(defvar-local countersign--root nil
  "The root of this buffer's project.")

(defun countersign--project-root ()
  "The root of the project of this buffer's file, or nil."
  (when (and buffer-file-name (not (file-remote-p buffer-file-name)))
    (when-let* ((project (project-current nil (file-name-directory
                                               buffer-file-name)))
                (root (project-root project)))
      (unless (file-remote-p root)
        (directory-file-name (file-truename root))))))

(defun countersign--seen-p ()
  "Whether there is a frame that somebody could see.
Without one nobody can be asked here, and no server says so."
  (and (not noninteractive)
       (cl-some (lambda (frame)
                  (not (equal (terminal-name (frame-terminal frame))
                              "initial_terminal")))
                (frame-list))))

(defun countersign--visit ()
  "Start the server of this buffer's project, unless it runs."
  (when (and countersign-mode (countersign--seen-p))
    (setq countersign--root (countersign--project-root))
    (when countersign--root
      (condition-case problem (countersign-client-start countersign--root)
        (error (message "Countersign: %s" (error-message-string problem)))))))

(defun countersign--visit-all (&rest _)
  "Start the servers of the projects of all buffers."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when buffer-file-name (countersign--visit)))))

(defun countersign--frame-gone (&rest _)
  "End all servers when the last frame is gone: nobody can be asked any more."
  (unless (countersign--seen-p)
    (mapc #'countersign-client-stop (countersign-client-all))))

(defun countersign--connection ()
  "The connection of this buffer's project, or of the only project."
  (or (countersign-client-of countersign--root)
      (let ((all (countersign-client-all)))
        (and (= (length all) 1) (car all)))
      (user-error "No server runs for this buffer; is `countersign-mode' on, \
and is the file in a project?")))

;;; The mode line

(defun countersign--session (status)
  "The session of STATUS that was seen last and goes on, if there is one."
  (cl-find-if (lambda (session)
                (and (eq (plist-get session :ended) :false)
                     (eq (plist-get session :elsewhere) :false)))
              (mapcar #'countersign--plain (plist-get status :sessions))))

(defun countersign--plain (session)
  "SESSION with falsehood as `:false', whatever the reader made of it."
  (let ((session (copy-sequence session)))
    (dolist (key '(:ended :elsewhere) session)
      (unless (eq (plist-get session key) t)
        (setq session (plist-put session key :false))))))

(defun countersign--lighter (connection)
  "What the mode line says of CONNECTION."
  (let* ((status (and connection (countersign-client-status connection)))
         (session (and status (countersign--session status)))
         (pending (cl-count connection (countersign-prompt-open)
                            :key #'countersign-ask-connection))
         (counters (plist-get session :counters))
         (limits (plist-get session :limits))
         (health (plist-get status :health)))
    (if (null status)
        (propertize " CS:off" 'face 'error)
      (concat
       (propertize (format " CS:%s" (countersign-text-for-format
                                     (or (plist-get session :mode)
                                         (plist-get status :mode))))
                   'face (pcase health ("error" 'error) ("warning" 'warning)
                                (_ 'default)))
       (when (> pending 0)
         (propertize (format "[%d]" pending) 'face 'warning))
       (when session
         (format " %d/%d %d/%d"
                 (plist-get counters :consecutiveBlock)
                 (plist-get limits :consecutiveBlock)
                 (+ (plist-get counters :totalBlock)
                    (plist-get counters :totalUnavailable))
                 (plist-get limits :total)))
       (unless (equal health "ok") "!")))))

(defvar-keymap countersign-mode-line-map
  :doc "What clicks on the mode line do."
  "<mode-line> <mouse-1>" #'countersign-click)

(defun countersign-click (event)
  "Show what waits in the window of EVENT, or how Countersign does."
  (interactive "e")
  (select-window (posn-window (event-start event)))
  (if (countersign-prompt-open) (countersign-pending) (countersign-status)))

(defun countersign-mode-line ()
  "What the mode line of this buffer says."
  (let ((connection (countersign-client-of countersign--root)))
    (cond
     ((or countersign--root connection)
      (propertize (countersign--lighter connection)
                  'help-echo "Countersign: the mode, what waits, blocks in a \
row and denials in all against their caps.  mouse-1: show"
                  'mouse-face 'mode-line-highlight
                  'local-map countersign-mode-line-map))
     ((countersign-prompt-open)
      (propertize (format " CS[%d]" (length (countersign-prompt-open)))
                  'face 'warning)))))

(defun countersign--redraw ()
  "Draw all mode lines anew."
  (force-mode-line-update t))

;;; Commands

(defun countersign--sentences (connection)
  "How CONNECTION does, line by line."
  (let* ((status (countersign-client-status connection))
         (lines (list (format "%s: %s"
                              (abbreviate-file-name
                               (countersign-client-root connection))
                              (or (plist-get status :health) "starting")))))
    (cl-flet ((add (&rest arguments) (push (apply #'format arguments) lines)))
      (seq-do (lambda (one) (add "  not as it should be: %s" one))
              (plist-get status :degraded))
      (seq-do
       (lambda (workspace)
         (add "  %s: %s, new sessions in %s mode, %d problems in its settings"
              (plist-get workspace :folder)
              (if (eq (plist-get workspace :trusted) t) "trusted"
                "not trusted (M-x countersign-trust)")
              (plist-get workspace :mode) (plist-get workspace :problems))
         (when (or (plist-get workspace :consentDigest)
                   (plist-get workspace :removalDigest))
           (add "    its settings wait for your consent (M-x countersign-consent)")))
       (plist-get status :workspaces))
      (seq-do
       (lambda (session)
         (add "  %s %s: %s mode, %d waiting%s%s" (plist-get session :agent)
              (plist-get session :session) (plist-get session :mode)
              (plist-get session :pending)
              (if (eq (plist-get session :ended) t) ", ended" "")
              (if (eq (plist-get session :paused) t) ", asking is paused" ""))
         (add "    %s" (countersign-draw-denials (plist-get session :counters)
                                                 (plist-get session :limits))))
       (plist-get status :sessions)))
    (nreverse lines)))

;;;###autoload
(defun countersign-status ()
  "Say how Countersign does, in a buffer."
  (interactive)
  (countersign-draw-show
   "*Countersign status*"
   (mapconcat #'countersign-text-line
              (or (mapcan #'countersign--sentences (countersign-client-all))
                  '("No server runs."))
              "\n")))

(defun countersign--choose-session (connection)
  "A session of CONNECTION, chosen by the person if there are several."
  (let* ((sessions (append (plist-get (countersign-client-status connection)
                                      :sessions)
                           nil))
         (names (mapcar (lambda (session)
                          (countersign-text-line
                           (format "%s %s" (plist-get session :agent)
                                   (plist-get session :session))))
                        sessions)))
    (cond ((null sessions) (user-error "No agent was seen here"))
          ((null (cdr sessions)) (car sessions))
          (t (nth (cl-position (completing-read "Session: " names nil t)
                               names :test #'equal)
                  sessions)))))

(defun countersign-set-mode (mode)
  "Choose MODE for the sessions of this project.
A looser one is confirmed in a window of its own."
  (interactive (list (completing-read
                      "Mode: " '("plan" "default" "auto-edit" "auto" "yolo")
                      nil t)))
  (unless (string-empty-p mode)
    (countersign-client-command (countersign--connection) "setMode"
                                (list mode))))

(defun countersign-trust ()
  "Trust this project, after a confirmation in a window of its own."
  (interactive)
  (let ((connection (countersign--connection)))
    (countersign-client-command connection "trust"
                                (list (countersign-client-root connection)))))

(defun countersign-consent ()
  "Accept what this project's settings loosen, after a confirmation."
  (interactive)
  (let ((connection (countersign--connection)))
    (countersign-client-command connection "consent"
                                (list (countersign-client-root connection)))))

(defun countersign-reset-counters ()
  "Reset the counters of denials, after a confirmation."
  (interactive)
  (countersign-client-command (countersign--connection) "resetCounters" nil))

(defun countersign-grant ()
  "Allow the call that a model denied last, once, after a confirmation."
  (interactive)
  (let* ((connection (countersign--connection))
         (last (plist-get (countersign-client-status connection)
                          :lastDecision)))
    (unless (equal (plist-get last :reason) "classifier_blocked")
      (user-error "No model denied the last call"))
    (countersign-client-command connection "grant"
                                (list (plist-get last :id)))))

(defun countersign-explain ()
  "Show why the last call was decided as it was."
  (interactive)
  (let* ((connection (countersign--connection))
         (last (plist-get (countersign-client-status connection)
                          :lastDecision)))
    (unless last (user-error "Nothing was decided yet"))
    (countersign-client-command
     connection "explain" (list (plist-get last :id))
     (lambda (text) (countersign-draw-show "*Countersign: explain*" text)))))

(defun countersign-log ()
  "Show what the server of this project complained about."
  (interactive)
  (let ((buffers (cl-remove-if-not
                  (lambda (buffer)
                    (string-match-p "\\` ?\\*countersign .* stderr\\*"
                                    (buffer-name buffer)))
                  (buffer-list))))
    (unless buffers (user-error "No server was started"))
    (countersign-draw-show
     "*Countersign log*"
     (mapconcat (lambda (buffer)
                  (with-current-buffer buffer (buffer-string)))
                buffers "\n"))))

(defun countersign-restart ()
  "Start the server of this project anew."
  (interactive)
  (let ((root (or countersign--root (countersign--project-root)
                  (user-error "This buffer's file is in no project"))))
    (when-let* ((connection (countersign-client-of root)))
      (countersign-client-stop connection))
    (clrhash countersign-client--past)
    (setq countersign--root root)
    (countersign-client-start root)))

;;; Documents of the server

(defvar-local countersign--document nil
  "The connection and the URI of the document that this buffer shows.")

(defun countersign--fetch (connection uri then)
  "Fetch the document URI of CONNECTION and give its text to THEN."
  (countersign-client-request
   connection :workspace/textDocumentContent (list :uri uri)
   (lambda (answer) (funcall then (plist-get answer :text)))))

(defun countersign-session ()
  "Show the document of a session, which follows what happens."
  (interactive)
  (let ((connection (countersign--connection)))
    (countersign--show-document
     connection (plist-get (countersign--choose-session connection) :uri))))

(defun countersign--show-document (connection uri)
  "Show the document URI of CONNECTION."
  (countersign--fetch
   connection uri
   (lambda (text)
     (with-current-buffer (countersign-draw-show "*Countersign session*" text)
       (setq countersign--document (cons connection uri))))))

(defun countersign--refresh (connection uri)
  "Draw the document URI of CONNECTION anew where it is shown."
  (dolist (buffer (buffer-list))
    (when (equal (buffer-local-value 'countersign--document buffer)
                 (cons connection uri))
      (countersign--fetch
       connection uri
       (lambda (text)
         (when (buffer-live-p buffer)
           (with-current-buffer buffer
             (let ((inhibit-read-only t)
                   (place (point)))
               (erase-buffer)
               (insert (countersign-text-lines text))
               (goto-char (min place (point-max)))))))))))

(defun countersign--asked (connection method params)
  "Answer what the server of CONNECTION asks of the editor: METHOD with PARAMS."
  (pcase method
    ('workspace/textDocumentContent/refresh
     (countersign--refresh connection (plist-get params :uri))
     (list nil))
    ('window/showDocument
     (list (list :success
                 (if (countersign--show-uri connection (plist-get params :uri))
                     t :json-false))))))

(defun countersign--show-uri (connection uri)
  "Show the document URI of CONNECTION, a file or one of ours; whether it is."
  (cond
   ((string-prefix-p "countersign:" uri)
    (countersign--show-document connection uri)
    t)
   ((countersign-client-path uri)
    (let ((path (countersign-client-path uri)))
      (when (file-readable-p path)
        (countersign-draw-show
         (format "*Countersign: %s*" (file-name-nondirectory path))
         ;; As text: nothing that stands in the file takes effect.
         (with-temp-buffer (insert-file-contents path) (buffer-string)))
        t)))))

;;; The mode

;;;###autoload
(define-minor-mode countersign-mode
  "Ask in this Emacs what coding agents may do."
  :global t
  :group 'countersign
  :lighter (:eval (countersign-mode-line))
  (cond
   (countersign-mode
    (add-hook 'find-file-hook #'countersign--visit)
    (add-hook 'after-delete-frame-functions #'countersign--frame-gone)
    (add-hook 'after-make-frame-functions #'countersign--visit-all)
    (add-hook 'countersign-client-changed-hook #'countersign--redraw)
    (add-hook 'countersign-client-asked-functions #'countersign--asked)
    (countersign--visit-all))
   (t
    (remove-hook 'find-file-hook #'countersign--visit)
    (remove-hook 'after-delete-frame-functions #'countersign--frame-gone)
    (remove-hook 'after-make-frame-functions #'countersign--visit-all)
    (mapc #'countersign-client-stop (countersign-client-all)))))

(provide 'countersign)
;;; countersign.el ends here
