;;; countersign-prompt.el --- Asking a person  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the Countersign authors
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; What waits for a person is shown in a window that never takes the focus.
;; The person goes there and presses a key.  Only a key that is shown, pressed
;; there, after the whole was on the screen for half a second, says yes: no
;; other command, no macro, no quit and no empty answer does.

;;; Code:

(require 'cl-lib)
(require 'countersign-client)
(require 'countersign-text)
(require 'countersign-draw)

(defcustom countersign-prompt 'auto
  "What happens when an agent waits for you.
With `auto' a window shows it, without taking the focus; with `notify' the
echo area and the mode line say so.  \\[countersign-pending] goes there."
  :type '(choice (const auto) (const notify))
  :group 'countersign)

(defconst countersign-prompt--read 0.5
  "Seconds for which the whole must have been on the screen before a yes.")

(defconst countersign-prompt--most 64
  "How many questions are kept; the server has fewer at a time.")

(defconst countersign-prompt--buffer "*Countersign*"
  "The name of the buffer that asks.")

(defvar countersign-prompt--asks nil
  "What waits for the person, the oldest first.")

(defvar-local countersign-prompt--ask nil
  "What this buffer shows.")

(defvar-local countersign-prompt--seen-to nil
  "The position up to which the person could see everything.")

(defvar-local countersign-prompt--whole-since nil
  "When the person had everything on the screen, in seconds.")

(defun countersign-prompt-open ()
  "What waits for the person, the oldest first."
  countersign-prompt--asks)

(defun countersign-prompt--open-p (ask)
  "Whether ASK still waits and was not answered."
  (and (memq ask countersign-prompt--asks)
       (not (countersign-ask-answered ask))))

;;; What comes in and what is over

(defun countersign-prompt-notified (connection method params)
  "Take what CONNECTION says about questions: METHOD with PARAMS."
  (pcase method
    ('countersign/approvalRequested
     (countersign-prompt--add
      (countersign-ask-make :connection connection :kind 'approval
                            :id (plist-get params :id) :data params)
      (eq (plist-get params :focus) t)))
    ('countersign/approvalResolved
     (countersign-prompt--over
      (lambda (ask)
        (and (eq (countersign-ask-kind ask) 'approval)
             (eq (countersign-ask-connection ask) connection)
             (equal (countersign-ask-id ask) (plist-get params :id))))))
    ('window/showMessageRequest
     (countersign-prompt--add
      (countersign-ask-make :connection connection :kind 'question
                            :id (plist-get params :id)
                            :data (plist-get params :params))
      nil))
    ('countersign/ended
     (countersign-prompt--over
      (lambda (ask) (eq (countersign-ask-connection ask) connection))))))

(defun countersign-prompt--add (ask focus)
  "Ask the person ASK; with FOCUS because the person wants to see it."
  (let ((known (cl-find-if
                (lambda (other)
                  (and (eq (countersign-ask-kind other)
                           (countersign-ask-kind ask))
                       (eq (countersign-ask-connection other)
                           (countersign-ask-connection ask))
                       (equal (countersign-ask-id other)
                              (countersign-ask-id ask))))
                countersign-prompt--asks)))
    (countersign-prompt--replaced ask)
    (cond
     (known (setf (countersign-ask-data known) (countersign-ask-data ask)
                  ask known))
     ((>= (length countersign-prompt--asks) countersign-prompt--most)
      (countersign-prompt--send ask (countersign-prompt--no ask))
      (setq ask nil))
     (t (setq countersign-prompt--asks
              (append countersign-prompt--asks (list ask)))))
    (when ask
      (countersign-prompt--show ask focus))))

(defun countersign-prompt--replaced (ask)
  "Close the question that ASK puts once more.
A server cannot take a question back: it forgets it, and asks anew."
  (when (eq (countersign-ask-kind ask) 'question)
    (dolist (other countersign-prompt--asks)
      (when (and (eq (countersign-ask-kind other) 'question)
                 (eq (countersign-ask-connection other)
                     (countersign-ask-connection ask))
                 (equal (countersign-ask-data other)
                        (countersign-ask-data ask)))
        (countersign-prompt--send other nil)))))

(defun countersign-prompt--over (over-p)
  "Forget what OVER-P says is over, and show what still waits."
  (setq countersign-prompt--asks
        (cl-delete-if over-p countersign-prompt--asks))
  (countersign-prompt--go-on)
  (run-hooks 'countersign-client-changed-hook))

(defun countersign-prompt--go-on ()
  "Show what waits next where something is shown that does not wait any more."
  (when-let* ((buffer (get-buffer countersign-prompt--buffer)))
    (with-current-buffer buffer
      (let ((next (if (memq countersign-prompt--ask countersign-prompt--asks)
                      countersign-prompt--ask
                    (car countersign-prompt--asks))))
        (cond ((null next) (countersign-prompt--close buffer))
              ;; Only how many wait has changed: what was read stays read.
              ((eq next countersign-prompt--ask)
               (countersign-prompt--header))
              (t (countersign-prompt--draw next)))))))

(defun countersign-prompt--close (buffer)
  "Take BUFFER and its window away; nothing in it waits."
  (with-current-buffer buffer
    (setq countersign-prompt--ask nil))
  (dolist (window (get-buffer-window-list buffer nil t))
    (quit-window nil window))
  (kill-buffer buffer))

;;; Showing

(defun countersign-prompt--show (ask focus)
  "Show that ASK waits; with FOCUS because the person wants to see it."
  (let* ((buffer (get-buffer countersign-prompt--buffer))
         (shown (and buffer (get-buffer-window buffer t))))
    (cond
     ;; Somebody may be reading another one: it is not taken away.
     ((and shown (not focus))
      (with-current-buffer buffer (countersign-prompt--header)))
     ((or focus (eq countersign-prompt 'auto))
      (countersign-prompt--display ask focus)))
    (unless (or focus (active-minibuffer-window))
      (message "Countersign: %s; %s answers"
               (countersign-draw-summary ask)
               (substitute-command-keys "\\[countersign-pending]"))))
  (run-hooks 'countersign-client-changed-hook))

(defun countersign-prompt--display (ask focus)
  "Show ASK in its window, and go there only with FOCUS."
  (let ((buffer (get-buffer-create countersign-prompt--buffer)))
    (with-current-buffer buffer
      (unless (derived-mode-p 'countersign-prompt-mode)
        (countersign-prompt-mode))
      (unless (eq ask countersign-prompt--ask)
        (countersign-prompt--draw ask)))
    (let ((window (display-buffer
                   buffer
                   '((display-buffer-reuse-window
                      display-buffer-in-side-window)
                     (side . bottom) (slot . 0) (dedicated . t)
                     (window-height . countersign-prompt--fit)))))
      (when (and focus window (not (active-minibuffer-window)))
        (select-window window)))))

(defun countersign-prompt--fit (window)
  "Give WINDOW the height of its text, up to half of its frame."
  (fit-window-to-buffer window (/ (frame-height (window-frame window)) 2)))

(defun countersign-prompt--draw (ask)
  "Draw ASK in the current buffer; what was read of another one counts no more."
  (let ((inhibit-read-only t))
    (setq countersign-prompt--ask ask
          countersign-prompt--seen-to (point-min)
          countersign-prompt--whole-since nil)
    (erase-buffer)
    (countersign-draw ask)
    (goto-char (point-min)))
  (dolist (window (get-buffer-window-list nil nil t))
    (set-window-start window (point-min))
    (set-window-point window (point-min)))
  (countersign-prompt--header))

(defun countersign-prompt--header ()
  "Say above the text how many wait, and the keys that matter most."
  (setq header-line-format
        (format " Countersign asks (%d of %d)   %s"
                (1+ (or (cl-position countersign-prompt--ask
                                     countersign-prompt--asks)
                        0))
                (length countersign-prompt--asks)
                (countersign-text-for-format
                 (countersign-draw-keys countersign-prompt--ask))))
  (force-mode-line-update t))

(defvar-keymap countersign-prompt-mode-map
  :doc "Keys of `countersign-prompt-mode'."
  :parent special-mode-map
  "RET" #'countersign-prompt-deny
  "d" #'countersign-prompt-deny
  "m" #'countersign-prompt-deny-with-message
  "a" #'countersign-prompt-approve
  "r" #'countersign-prompt-remember
  "s" #'countersign-prompt-switch-to-default
  "e" #'countersign-prompt-explain
  "c" #'countersign-prompt-change
  "n" #'countersign-prompt-next
  "p" #'countersign-prompt-previous
  "q" #'countersign-prompt-dismiss
  "1" #'countersign-prompt-pick
  "2" #'countersign-prompt-pick
  "3" #'countersign-prompt-pick
  "4" #'countersign-prompt-pick
  "5" #'countersign-prompt-pick
  "6" #'countersign-prompt-pick
  "7" #'countersign-prompt-pick
  "8" #'countersign-prompt-pick
  "9" #'countersign-prompt-pick)

(define-derived-mode countersign-prompt-mode special-mode "Countersign"
  "A question about what an agent wants to do."
  :interactive nil
  (setq-local truncate-lines nil
              truncate-partial-width-windows nil
              ;; In the order in which it would run, whatever the script.
              bidi-display-reordering nil
              bidi-paragraph-direction 'left-to-right
              buffer-invisibility-spec nil
              nobreak-char-display t
              cursor-in-non-selected-windows nil
              revert-buffer-function #'countersign-prompt--revert)
  (auto-composition-mode -1)
  (buffer-disable-undo)
  (add-hook 'pre-command-hook #'countersign-prompt--look nil t)
  (add-hook 'post-command-hook #'countersign-prompt--look nil t)
  (add-hook 'kill-buffer-hook #'countersign-prompt--killed nil t))

(defun countersign-prompt--revert (&rest _)
  "Draw anew what is shown."
  (countersign-prompt--draw countersign-prompt--ask))

;;; Whether it was read

(defun countersign-prompt--look ()
  "Note what the person can see now."
  (let ((window (selected-window)))
    (when (and countersign-prompt--ask (eq (window-buffer window) (current-buffer)))
      (let ((end (window-end window t)))
        (when (<= (window-start window) countersign-prompt--seen-to)
          (setq countersign-prompt--seen-to
                (max countersign-prompt--seen-to end))))
      (when (and (null countersign-prompt--whole-since)
                 (= (point-min) 1)
                 (>= countersign-prompt--seen-to (point-max)))
        (setq countersign-prompt--whole-since (float-time))))))

(defun countersign-prompt--refusal (key-command)
  "Why a yes does not count that came by KEY-COMMAND, or nil if it does."
  (countersign-prompt--look)
  (cond
   ((not (and (eq major-mode 'countersign-prompt-mode)
              (eq (window-buffer (selected-window)) (current-buffer))))
    "Only in the window that asks")
   ((or executing-kbd-macro
        (not (eq real-this-command key-command))
        (not (eq (lookup-key countersign-prompt-mode-map
                             (this-command-keys-vector))
                 key-command)))
    "Only the key that is shown says yes")
   ((null countersign-prompt--whole-since)
    "Read it to its end first: SPC scrolls")
   ((< (- (float-time) countersign-prompt--whole-since)
       countersign-prompt--read)
    "That was faster than anybody reads; press it again")))

(defun countersign-prompt--check (key-command &optional kind)
  "Signal an error unless KEY-COMMAND may say yes; KIND is what it is for."
  (let ((refusal (countersign-prompt--refusal key-command)))
    (when refusal (user-error "%s" refusal)))
  (countersign-prompt--this (or kind 'approval)))

(defun countersign-prompt--this (&optional kind)
  "What is shown here and waits; with KIND only if it is of that kind."
  (unless (and countersign-prompt--ask
               (countersign-prompt--open-p countersign-prompt--ask))
    (user-error "Nothing waits here"))
  (when (and kind (not (eq kind (countersign-ask-kind countersign-prompt--ask))))
    (user-error "There is no such answer to this"))
  countersign-prompt--ask)

;;; Answering

(defun countersign-prompt--no (ask)
  "The answer to ASK that is a no because nobody chose anything."
  (pcase (countersign-ask-kind ask)
    ('approval (list :choice "dismiss"))
    ('question nil)))

(defun countersign-prompt--send (ask answer)
  "Answer ASK with ANSWER, a property list."
  (let ((connection (countersign-ask-connection ask))
        (data (countersign-ask-data ask)))
    (setf (countersign-ask-answered ask) t)
    (when (jsonrpc-running-p connection)
      (pcase (countersign-ask-kind ask)
        ('question
         (jsonrpc-connection-send connection :id (countersign-ask-id ask)
                                  :result answer)
         (countersign-prompt--over (lambda (other) (eq other ask))))
        ('approval
         (jsonrpc-async-request
          connection :countersign/resolveApproval
          (append (list :id (countersign-ask-id ask)
                        :nonce (plist-get data :nonce))
                  answer)
          :timeout 60
          :success-fn (lambda (done) (countersign-prompt--done ask done))
          :timeout-fn (lambda () (setf (countersign-ask-answered ask) nil))
          :error-fn (lambda (problem)
                      (countersign-prompt--failed ask problem))))))))

(defun countersign-prompt--done (ask done)
  "ASK was answered; the server says DONE."
  (when-let* ((warning (plist-get done :warning)))
    (message "Countersign: %s" (countersign-text-line warning)))
  (countersign-prompt--over (lambda (other) (eq other ask))))

(defun countersign-prompt--failed (ask problem)
  "ASK was not answered, because of PROBLEM: the person chooses again."
  (setf (countersign-ask-answered ask) nil)
  (message "Countersign: %s" (countersign-text-line (plist-get problem :message)))
  ;; Over, or not what was shown.
  (when (memq (plist-get problem :code) '(-31001 -31003))
    (countersign-prompt--over (lambda (other) (eq other ask)))))

(defun countersign-prompt-deny ()
  "Deny what is asked here.  This is the default."
  (interactive nil countersign-prompt-mode)
  (let ((ask (countersign-prompt--this)))
    (countersign-prompt--send
     ask
     (pcase (countersign-ask-kind ask)
       ('approval (list :choice "deny"))
       ('question (when-let* ((title (car (countersign-draw-titles ask))))
                    (list :title title)))))))

(defun countersign-prompt-deny-with-message (message)
  "Deny what is asked here, and tell the agent MESSAGE."
  (interactive
   (progn (countersign-prompt--this 'approval)
          (list (read-string "Deny, and tell the agent: ")))
   countersign-prompt-mode)
  (countersign-prompt--send
   (countersign-prompt--this 'approval)
   (append (list :choice "deny")
           (unless (string-blank-p message) (list :message message)))))

(defun countersign-prompt-approve ()
  "Let the call that is shown here run once."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--send (countersign-prompt--check #'countersign-prompt-approve)
                            (list :choice "approve")))

(defun countersign-prompt-switch-to-default ()
  "Let the call run once; the session goes on in default mode."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--send
   (countersign-prompt--check #'countersign-prompt-switch-to-default)
   (list :choice "approve_and_switch_to_default")))

(defun countersign-prompt-remember ()
  "Let the call run, and remember rules, each of which is confirmed."
  (interactive nil countersign-prompt-mode)
  (let* ((ask (countersign-prompt--check #'countersign-prompt-remember))
         (offered (append (plist-get (countersign-ask-data ask) :suggestions)
                          nil))
         (rules (cl-remove-if-not
                 (lambda (rule)
                   (y-or-n-p (format "Always allow %s? "
                                     (countersign-text-line rule))))
                 offered)))
    (unless offered (user-error "There is no rule to remember for this"))
    (unless rules (user-error "No rule chosen: nothing is answered"))
    (let ((scope (completing-read "For this (session, project, user): "
                                  '("session" "project" "user")
                                  nil t nil nil "session")))
      (unless (member scope '("session" "project" "user"))
        (user-error "Nothing chosen: nothing is answered"))
      (unless (countersign-prompt--open-p ask)
        (user-error "It is over"))
      (countersign-prompt--send
       ask (list :choice "remember" :rules (vconcat rules) :scope scope)))))

(defun countersign-prompt-pick ()
  "Give the answer with the number that was pressed."
  (interactive nil countersign-prompt-mode)
  (let* ((ask (countersign-prompt--this 'question))
         (number (- (aref (this-command-keys-vector) 0) ?1))
         (title (nth number (countersign-draw-titles ask))))
    (unless title (user-error "There is no such answer to this"))
    ;; The first is a no.
    (unless (zerop number)
      (countersign-prompt--check #'countersign-prompt-pick 'question))
    (countersign-prompt--send ask (list :title title))))

(defun countersign-prompt-dismiss ()
  "Close what is asked here, which is a no."
  (interactive nil countersign-prompt-mode)
  (let ((ask (countersign-prompt--this)))
    (countersign-prompt--send ask (countersign-prompt--no ask))))

(defun countersign-prompt--killed ()
  "Take killing the buffer for a no."
  (when (and countersign-prompt--ask
             (countersign-prompt--open-p countersign-prompt--ask))
    (countersign-prompt--send countersign-prompt--ask
                              (countersign-prompt--no countersign-prompt--ask))))

;;; Looking

(defun countersign-prompt--step (by)
  "Show the question that is BY after this one."
  (let* ((count (length countersign-prompt--asks))
         (at (or (cl-position countersign-prompt--ask countersign-prompt--asks)
                 0)))
    (when (> count 1)
      (countersign-prompt--draw
       (nth (mod (+ at by) count) countersign-prompt--asks)))))

(defun countersign-prompt-next ()
  "Show the next question."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--step 1))

(defun countersign-prompt-previous ()
  "Show the question before this one."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--step -1))

(defun countersign-prompt--text (name)
  "Show what the command NAME says about the call."
  (let ((ask (countersign-prompt--this 'approval)))
    (countersign-client-command
     (countersign-ask-connection ask) name (list (countersign-ask-id ask))
     (lambda (text)
       (countersign-draw-show (format "*Countersign: %s*" name) text)))))

(defun countersign-prompt-explain ()
  "Show why this call is asked about."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--text "explain"))

(defun countersign-prompt-change ()
  "Show the change that this call would make."
  (interactive nil countersign-prompt-mode)
  (countersign-prompt--text "showChange"))

;;;###autoload
(defun countersign-pending ()
  "Go to what waits for you."
  (interactive)
  (unless countersign-prompt--asks (user-error "Nothing waits"))
  (let* ((buffer (get-buffer countersign-prompt--buffer))
         (shown (and buffer (buffer-local-value 'countersign-prompt--ask buffer))))
    (countersign-prompt--display
     (if (memq shown countersign-prompt--asks) shown
       (car countersign-prompt--asks))
     t)))

(add-hook 'countersign-client-notified-functions #'countersign-prompt-notified)

(provide 'countersign-prompt)
;;; countersign-prompt.el ends here
